import { createApi } from '@reduxjs/toolkit/query/react'

import { type ApiError, apiBaseQuery } from '@/lib/api-base-query'
import type { Page } from '@/types'

/** The one cache of what the hub holds. Each feature injects its own endpoints; sockets patch it (lib/live.ts). */
export const api = createApi({
  baseQuery: apiBaseQuery,
  tagTypes: [
    'Download', 'Upload', 'Model', 'Deployment', 'Session', 'Job', 'System', 'Ollama', 'Storage', 'Quarantine', 'Setting',
    'SignIn', 'User', 'Invite', 'Lockout', 'Role', 'Team', 'ApiKey', 'Audit',
  ],
  keepUnusedDataFor: 300,
  endpoints: () => ({}),
})

/** Keyset paging for `build.infiniteQuery`: the cursor of the page before, until there is none. */
export const keysetPages = {
  initialPageParam: '',
  getNextPageParam: (last: Page<unknown>): string | undefined => last.next ?? undefined,
}

/** A rejected hook's error, where it is one of ours. */
export function asApiError(error: unknown): ApiError {
  if (typeof error === 'object' && error !== null && 'code' in error && 'status' in error) return error as ApiError
  return { status: 0, code: 'UNEXPECTED', message: error instanceof Error ? error.message : '', details: {} }
}
