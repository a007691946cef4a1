/** One's own account: profile, password, sessions, keys. */
import { screen, waitFor, within } from '@testing-library/react'

import { makeDeployment, makeKey, makeProfile, makeSignIn } from '@/testing/data'
import { choose } from '@/testing/choose'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
})
afterEach(() => hub.stop())

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const last = (path: string, method = 'POST') => hub.calls.findLast((call) => call.path === path && call.method === method)

test('a new name is saved; a wrong current password is explained in place', async () => {
  hub.on('PATCH auth/me', { data: makeProfile({ name: 'Ada' }) })
  hub.on('POST auth/password', { status: 401, error: 'INVALID_CREDENTIALS', message: 'This is not your current password.' })
  const { user } = renderApp(hub, '/account')
  const name = await screen.findByLabelText('Name')
  await user.clear(name)
  await user.type(name, 'Ada')
  await user.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(last('auth/me', 'PATCH')?.body).toEqual({ name: 'Ada' }))

  await user.type(screen.getByLabelText('Current password'), 'wrong')
  await user.type(screen.getByLabelText('New password'), 'eleven purple ducks')
  await user.click(screen.getByRole('button', { name: 'Change the password' }))
  expect(await screen.findByText('This is not your current password.')).toBeVisible()
})

test('sessions: this one is marked, others can be ended', async () => {
  let sessions = [makeSignIn(), makeSignIn({ id: 'i2', current: false, device: 'Safari on iPhone' })]
  hub.on('GET auth/sessions', () => list(...sessions))
  hub.on('DELETE auth/sessions/i2', () => {
    sessions = sessions.slice(0, 1)
    return { data: {} }
  })
  const { user } = renderApp(hub, '/account/sessions')
  const here = await screen.findByRole('listitem', { name: 'Firefox on Linux' })
  expect(within(here).getByText('This one')).toBeVisible()
  expect(within(here).queryByRole('button')).toBeNull()
  expect(screen.getByRole('button', { name: 'End all others' })).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'End the session on Safari on iPhone' }))
  await waitFor(() => expect(screen.queryByRole('listitem', { name: 'Safari on iPhone' })).toBeNull())
})

test('a key is made from what one may, and shown once', async () => {
  hub.on('GET deployments', list(makeDeployment()))
  hub.on('GET api-keys', list())
  hub.on('POST api-keys', { status: 201, data: { ...makeKey(), key: 'mh_once' } })
  const profile = { permissions: ['chat.use', 'deployments.read', 'keys.use'] }
  const { user } = renderApp(hub, '/account/keys', { profile })
  await user.click(await screen.findByRole('button', { name: /Make a key/ }))
  const dialog = await screen.findByRole('dialog')
  await user.type(within(dialog).getByLabelText('Name'), 'Nightly')
  expect(within(dialog).getAllByRole('checkbox').map((box) => box.closest('label')?.querySelector('code')?.textContent)).toEqual([
    'deployments.read', 'chat.use',
  ])
  await user.click(within(dialog).getByRole('checkbox', { name: /deployments.read/ }))
  await choose(user, 'Deployments', 'tiny')
  await choose(user, 'Expires', 'Never')
  await user.click(within(dialog).getByRole('button', { name: 'Make a key' }))
  expect(await screen.findByText('mh_once')).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Copy the key' })).toBeInTheDocument()
  expect(last('api-keys')?.body).toEqual({
    name: 'Nightly', scopes: ['chat.use'], deployments: ['p1'], days: null, requests_per_minute: null,
  })
})

test('a key is revoked after a question', async () => {
  hub.on('GET api-keys', list(makeKey({ last_used_at: '2025-01-02T03:04:05Z', last_used_from: '10.0.0.7' })))
  hub.on('DELETE api-keys/k1', () => {
    hub.on('GET api-keys', list(makeKey({ state: 'revoked' })))
    return { data: makeKey({ state: 'revoked' }) }
  })
  const { user } = renderApp(hub, '/account/keys')
  expect(await screen.findByText(/from 10.0.0.7/)).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Revoke Nightly' }))
  await user.click(await screen.findByRole('button', { name: 'Revoke' }))
  expect(await screen.findByText('Revoked')).toBeVisible()
})
