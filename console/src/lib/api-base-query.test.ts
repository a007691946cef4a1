import { makeStore } from '@/app/store'
import { api } from '@/lib/api'
import { sessionHint, signedIn } from '@/lib/auth-slice'
import { authOf, freshToken } from '@/lib/refresh'
import { signedInAnswer } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import type { SignedIn } from '@/types'

const probe = api.injectEndpoints({
  endpoints: (build) => ({
    probe: build.query<string, number>({ query: (n) => ({ url: 'probe', params: { n, empty: '' } }), keepUnusedDataFor: 0 }),
    poke: build.mutation<unknown, object>({ query: (body) => ({ url: 'poke', method: 'POST', body }) }),
  }),
})

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
})
afterEach(() => hub.stop())

function enter(token: string, expires = 900) {
  const store = makeStore(hub.origin)
  sessionHint.set()
  store.dispatch(signedIn(signedInAnswer(token, expires).data as SignedIn))
  return store
}

const onlyFor = (token: string) => (call: { token: string | null }) =>
  call.token === token ? { data: 'seen' } : { status: 401, error: 'UNAUTHENTICATED', message: 'Sign in.' }

test('many requests that find the token old share one refresh and all succeed', async () => {
  hub.on('GET probe', onlyFor('new'))
  hub.on('POST auth/refresh', signedInAnswer('new'))
  const store = enter('old')
  const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => store.dispatch(probe.endpoints.probe.initiate(n))))
  expect(answers.map(({ data }) => data)).toEqual(Array(5).fill('seen'))
  expect(hub.calls.filter(({ path }) => path === 'auth/refresh')).toHaveLength(1)
  expect(authOf(store.getState()).token).toBe('new')
})

test('a session that is over signs out and forgets', async () => {
  hub.on('GET probe', onlyFor('new'))
  hub.on('POST auth/refresh', { status: 401, error: 'UNAUTHENTICATED', message: 'Sign in.' })
  const store = enter('old')
  await store.dispatch(probe.endpoints.probe.initiate(1))
  expect(authOf(store.getState())).toMatchObject({ status: 'out', token: null })
  expect(sessionHint.present()).toBe(false)
  expect(store.getState().api.queries).toEqual({})
})

test.each([503, 429])('a hub that answers %i is not a reason to sign anybody out', async (status) => {
  hub.on('GET probe', onlyFor('new'))
  hub.on('POST auth/refresh', { status, error: 'LATER', message: 'Later.' })
  const store = enter('old')
  const { error } = await store.dispatch(probe.endpoints.probe.initiate(1))
  expect(error).toMatchObject({ status: 0, code: 'HUB_UNREACHABLE' })
  expect(authOf(store.getState()).status).toBe('in')
})

test('an access token about to expire is renewed before a request, not after its refusal', async () => {
  hub.on('GET probe', onlyFor('new'))
  hub.on('POST auth/refresh', signedInAnswer('new'))
  const { data } = await enter('old', 5).dispatch(probe.endpoints.probe.initiate(1))
  expect(data).toBe('seen')
  expect(hub.calls.map(({ path }) => path)).toEqual(['auth/refresh', 'probe'])
})

test('a cookie that became somebody else\'s takes the old cache away', async () => {
  hub.on('GET probe', { data: 'theirs' })
  const store = enter('old')
  await store.dispatch(probe.endpoints.probe.initiate(1))
  store.dispatch(signedIn(signedInAnswer('new', 900, { id: 'u2' }).data as SignedIn))
  expect(store.getState().api.queries).toEqual({})
})

test('how long to wait is kept with a refusal', async () => {
  hub.on('POST poke', { status: 429, error: 'TOO_MANY_REQUESTS', message: 'Slowly.', headers: { 'Retry-After': '7' } })
  const { error } = await enter('t').dispatch(probe.endpoints.poke.initiate({}))
  expect(error).toMatchObject({ status: 429, retryAfter: 7 })
})

test('what the hub says of a failure is kept: code, message, details', async () => {
  hub.on('POST poke', { status: 409, error: 'CONFLICT', message: 'In use.', details: { by: 'p1' } })
  const { error } = await enter('t').dispatch(probe.endpoints.poke.initiate({ a: 1 }))
  expect(error).toEqual({ status: 409, code: 'CONFLICT', message: 'In use.', details: { by: 'p1' } })
  expect(hub.calls[0]?.body).toEqual({ a: 1 })
})

test('empty parameters stay at home', async () => {
  hub.on('GET probe', { data: 'x' })
  await enter('t').dispatch(probe.endpoints.probe.initiate(7))
  expect([...(hub.calls[0]?.query ?? [])]).toEqual([['n', '7']])
})

test('a token about to expire is renewed before it is handed out', async () => {
  hub.on('POST auth/refresh', signedInAnswer('new'))
  expect(await freshToken(enter('good'))).toBe('good')
  expect(await freshToken(enter('old', 5))).toBe('new')
})
