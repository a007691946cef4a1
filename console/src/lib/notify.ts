import type { ApiError } from '@/lib/api-base-query'

type Listener = (error: ApiError) => void

const listeners = new Set<Listener>()

/** Failures of actions meet the person here, in one place and one form (components/notifications.tsx draws them). */
export const notices = {
  subscribe: (listener: Listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
  failure: (error: ApiError) => {
    for (const listener of listeners) listener(error)
  },
}
