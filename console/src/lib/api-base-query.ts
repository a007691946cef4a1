import type { BaseQueryFn } from '@reduxjs/toolkit/query'

import { type AuthStore, authOf, refreshSession, SOON } from '@/lib/refresh'

export interface Request {
  url: string
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  params?: Record<string, string | number | boolean | null | undefined>
  body?: unknown
  /** A body of bytes instead of one of JSON. */
  bytes?: ArrayBuffer
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Every failure of a request, in the hub's own words where it spoke. `status` 0: it could not be reached. */
export interface ApiError {
  status: number
  code: string
  message: string
  details: Record<string, unknown>
  /** Seconds until it is worth trying again, where the hub said so. */
  retryAfter?: number
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
  if (request.bytes) headers['Content-Type'] = 'application/offset+octet-stream'
  return fetch(address(request), {
    method: request.method ?? 'GET',
    headers: { ...headers, ...request.headers },
    body: request.bytes ?? (request.body === undefined ? undefined : JSON.stringify(request.body)),
    signal: request.signal,
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
      ...patience(response),
    },
  }
}

function patience(response: Response): { retryAfter?: number } {
  const seconds = Number(response.headers.get('Retry-After'))
  return seconds > 0 ? { retryAfter: Math.ceil(seconds) } : {}
}

/** Send with the bearer from memory: renewed when it is about to expire, and once when the hub refuses it. */
async function answered(request: Request, store: AuthStore): Promise<Response> {
  const { token: held, expiresAt } = authOf(store.getState())
  // A hub in trouble is met by the request itself.
  if (held && expiresAt - Date.now() < SOON) await refreshSession(store).catch(() => false)
  const { token } = authOf(store.getState())
  const response = await send(request, token)
  if (response.status !== 401 || !token) return response
  // Another request may have refreshed while this one was on its way: then its token is simply used.
  const current = authOf(store.getState()).token
  const renewed = current !== token ? current !== null : await refreshSession(store)
  return renewed ? send(request, authOf(store.getState()).token) : response
}

function failed(reason: unknown): { error: ApiError } {
  if (reason instanceof DOMException && reason.name === 'AbortError') throw reason
  return { error: { status: 0, code: 'HUB_UNREACHABLE', message: '', details: {} } }
}

/** The only fetch of the console: bearer from memory, silent refresh, envelope unwrapped. */
export const apiBaseQuery: BaseQueryFn<Request, unknown, ApiError> = async (request, store) => {
  try {
    return await read(await answered(request, store))
  } catch (reason) {
    return failed(reason)
  }
}

/** The same outside the cache, for what is sent in pieces. Stopped by its signal, it failed like any other. */
export async function ask<T>(request: Request, store: AuthStore): Promise<{ data: T } | { error: ApiError }> {
  try {
    return (await read(await answered(request, store))) as { data: T } | { error: ApiError }
  } catch {
    return { error: { status: 0, code: 'HUB_UNREACHABLE', message: '', details: {} } }
  }
}

/** The same for an answer that is a file, not an envelope. */
export async function fetchFile(request: Request, store: AuthStore): Promise<{ data: Blob } | { error: ApiError }> {
  try {
    const response = await answered(request, store)
    if (response.ok) return { data: await response.blob() }
    const answer = await read(response)
    return 'error' in answer ? answer : failed(null)
  } catch (reason) {
    return failed(reason)
  }
}
