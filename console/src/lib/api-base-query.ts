import type { BaseQueryFn } from '@reduxjs/toolkit/query'

import { authOf, refreshSession } from '@/lib/refresh'

export interface Request {
  url: string
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  params?: Record<string, string | number | boolean | null | undefined>
  body?: unknown
}

/** Every failure of a request, in the hub's own words where it spoke. `status` 0: it could not be reached. */
export interface ApiError {
  status: number
  code: string
  message: string
  details: Record<string, unknown>
}

export const API = '/api/v1'

function address({ url, params }: Request): string {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(params ?? {})) {
    if (value !== undefined && value !== null && value !== '') query.set(key, String(value))
  }
  const text = query.toString()
  return `${API}/${url}${text && `?${text}`}`
}

function send(request: Request, token: string | null): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (token) headers.Authorization = `Bearer ${token}`
  if (request.body !== undefined) headers['Content-Type'] = 'application/json'
  return fetch(address(request), {
    method: request.method ?? 'GET',
    headers,
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
    credentials: 'same-origin',
  })
}

async function read(response: Response): Promise<{ data: unknown } | { error: ApiError }> {
  const text = await response.text()
  let body: { data?: unknown; error?: string; message?: string; details?: Record<string, unknown> }
  try {
    body = text ? JSON.parse(text) : {}
  } catch {
    body = { error: 'BAD_ANSWER', message: `The hub answered ${response.status} without JSON.` }
    if (response.ok) return { error: { status: response.status, code: 'BAD_ANSWER', message: body.message ?? '', details: {} } }
  }
  if (response.ok) return { data: body.data ?? null }
  return {
    error: {
      status: response.status,
      code: body.error ?? `HTTP_${response.status}`,
      message: body.message ?? response.statusText,
      details: body.details ?? {},
    },
  }
}

/** The only fetch of the console: bearer from memory, one silent refresh on 401, envelope unwrapped. */
export const apiBaseQuery: BaseQueryFn<Request, unknown, ApiError> = async (request, store) => {
  try {
    const { token } = authOf(store.getState())
    let response = await send(request, token)
    if (response.status === 401 && token) {
      // Another request may have refreshed while this one was on its way: then its token is simply used.
      const current = authOf(store.getState()).token
      const renewed = current !== token ? current !== null : await refreshSession(store)
      if (renewed) response = await send(request, authOf(store.getState()).token)
    }
    return await read(response)
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === 'AbortError') throw reason
    return { error: { status: 0, code: 'HUB_UNREACHABLE', message: '', details: {} } }
  }
}
