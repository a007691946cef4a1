import { type AuthState, sessionHint, signedIn, signedOut } from '@/lib/auth-slice'
import type { SignedIn, Success } from '@/types'

/** What is needed of the store: kept this small so that fetches and sockets share it. */
export interface AuthStore {
  getState: () => unknown
  dispatch: (action: ReturnType<typeof signedIn> | ReturnType<typeof signedOut>) => unknown
}

export const authOf = (state: unknown): AuthState => (state as { auth: AuthState }).auth

/** One refresh at a time, for all tabs. Where the browser has no locks (plain HTTP from another machine) tabs may ask at
 *  the same moment: the hub gives them the same successor. */
async function exclusively<T>(work: () => Promise<T>): Promise<T> {
  if (typeof navigator.locks === 'undefined') return work()
  return (await navigator.locks.request('modelhub-refresh', work)) as T
}

/** Milliseconds before its end from which on a token is renewed rather than used. */
export const SOON = 20_000

let inFlight: Promise<boolean> | null = null

/** Trade the refresh cookie for a new access token; everyone who asks meanwhile waits for the same answer.
 *  False: the session is over (signed out). Throws TypeError when the hub cannot be reached. */
export function refreshSession(store: AuthStore): Promise<boolean> {
  inFlight ??= exclusively(async () => {
    const response = await fetch('/api/v1/auth/refresh', { method: 'POST', credentials: 'same-origin' })
    // Only a refusal of this very cookie is the end: a hub in trouble, or one that asks for patience, is not.
    if (response.status !== 401 && response.status !== 403 && !response.ok) throw new TypeError(`the hub answered ${response.status}`)
    if (!response.ok) {
      sessionHint.clear()
      store.dispatch(signedOut('ended'))
      return false
    }
    const { data } = (await response.json()) as Success<SignedIn>
    sessionHint.set()
    store.dispatch(signedIn(data))
    return true
  }).finally(() => {
    inFlight = null
  })
  return inFlight
}

/** A token good for at least `margin` milliseconds, or null when signed out. */
export async function freshToken(store: AuthStore, margin = SOON): Promise<string | null> {
  const { token, expiresAt } = authOf(store.getState())
  if (token && expiresAt - Date.now() > margin) return token
  if (!token && !sessionHint.present()) return null
  await refreshSession(store)
  return authOf(store.getState()).token
}
