/** Coming in, being thrown out, and what a role opens: against a real HTTP and Socket.IO server. */
import { screen, waitFor, within } from '@testing-library/react'
import type { Socket } from 'socket.io'

import { makeDeployment, makeDownload, signedInAnswer } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
})
afterEach(() => hub.stop())

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const refused = { status: 401, error: 'UNAUTHENTICATED', message: 'This session has ended.' }
const calls = (path: string) => hub.calls.filter((call) => call.path === path)

test('a session the hub ends leads to the sign-in page, with a sentence', async () => {
  let wire: Socket | undefined
  hub.live('/downloads', (_payload, socket) => {
    wire = socket
    return { snapshot: [], seq: 0 }
  })
  renderApp(hub, '/downloads')
  await waitFor(() => expect(wire).toBeDefined())
  hub.on('POST auth/refresh', refused)
  const before = calls('auth/refresh').length
  wire?.disconnect()
  expect(await screen.findByText(/Your session has ended/)).toBeVisible()
  expect(screen.getByRole('button', { name: 'Sign in' })).toBeVisible()
  expect(calls('auth/refresh')).toHaveLength(before + 1)
})

test('a role that changed brings one fresh token, and what it opens', async () => {
  const wires: Socket[] = []
  for (const namespace of ['/downloads', '/deployments']) {
    hub.sockets.of(namespace).on('connection', (socket) => {
      wires.push(socket)
      socket.on('subscribe', (_payload, ack) => ack({ ok: true, snapshot: [], seq: 0 }))
    })
  }
  renderApp(hub, '/downloads', { profile: { role: 'user', permissions: ['downloads.read', 'deployments.read'] } })
  const menu = await screen.findByRole('navigation', { name: 'Main' })
  await waitFor(() => expect(wires).toHaveLength(2))
  expect(within(menu).queryByRole('link', { name: 'Audit log' })).toBeNull()
  expect(within(menu).queryByRole('link', { name: 'Chat' })).toBeNull()

  hub.on('POST auth/refresh', signedInAnswer('token-2'))
  const before = calls('auth/refresh').length
  for (const wire of [...wires]) wire.disconnect()
  expect(await within(menu).findByRole('link', { name: 'Audit log' })).toBeVisible()
  await waitFor(() => expect(wires).toHaveLength(4))
  expect(wires.map((wire) => wire.handshake.auth.token)).toEqual(['token-1', 'token-1', 'token-2', 'token-2'])
  expect(calls('auth/refresh')).toHaveLength(before + 1)
})

test('a namespace one\'s role does not include is not knocked at again, and the rest counts as live', async () => {
  let knocks = 0
  hub.sockets.of('/downloads').use((_socket, next) => {
    knocks += 1
    next(Object.assign(new Error("{'code': 'FORBIDDEN'}")))
  })
  renderApp(hub, '/deployments')
  expect(await screen.findByRole('status', { name: 'Live' })).toBeVisible()
  expect(knocks).toBe(1)
})

test('what is no longer shared goes; what is still ours stays', async () => {
  let wire: Socket | undefined
  const mine = makeDeployment({ id: 'p1', name: 'mine' })
  const theirs = makeDeployment({ id: 'p2', name: 'theirs', owner_id: 'u2', owner_name: 'Ada', visibility: 'public' })
  hub.on('GET deployments', list(mine, theirs))
  hub.sockets.of('/deployments').on('connection', (socket) => {
    wire = socket
    socket.on('subscribe', ({ id }, ack) => {
      if (id === 'p2') ack({ ok: false, error: { code: 'NOT_FOUND', message: 'There is no such deployment.' } })
      else ack({ ok: true, snapshot: id === '*' ? [mine, theirs] : { ...mine, version: 2, visibility: 'public' }, seq: 2 })
    })
  })
  renderApp(hub, '/deployments', { profile: { permissions: ['deployments.read', 'deployments.write'] } })
  const foreign = await screen.findByRole('listitem', { name: 'theirs' })
  expect(within(foreign).getByText(/Everybody · Ada/)).toBeVisible()
  expect(within(foreign).queryByRole('button', { name: 'Stop theirs' })).toBeNull()
  expect(screen.getByRole('button', { name: 'Stop mine' })).toBeVisible()
  wire?.emit('unsubscribed', { id: 'p2' })
  wire?.emit('unsubscribed', { id: 'p1' })
  await waitFor(() => expect(screen.queryByRole('listitem', { name: 'theirs' })).toBeNull())
  expect(within(screen.getByRole('listitem', { name: 'mine' })).getByText('Everybody')).toBeVisible()
})

test('a page of what one\'s role does not include says so', async () => {
  renderApp(hub, '/admin/audit', { profile: { permissions: ['downloads.read'] } })
  expect(await screen.findByText('Your role does not include this')).toBeVisible()
  expect(calls('audit')).toEqual([])
})

test('one may look without a button to change anything', async () => {
  hub.on('GET downloads', list(makeDownload({ owner_id: 'u2', owner_name: 'Ada', visibility: 'public' })))
  renderApp(hub, '/downloads', { profile: { permissions: ['downloads.read', 'downloads.write'] } })
  expect(await screen.findByRole('progressbar', { name: 'Progress of tiny' })).toBeVisible()
  expect(screen.queryByRole('button', { name: 'Pause tiny' })).toBeNull()
})

test('too many attempts: the wait is counted down and the button waits too', async () => {
  hub.on('POST auth/login', {
    status: 429, error: 'TOO_MANY_REQUESTS', message: 'Too many.', details: { retry_after: 2 }, headers: { 'Retry-After': '2' },
  })
  const { user } = renderApp(hub, '/login', { signedIn: false })
  await user.type(await screen.findByLabelText('Email'), 'a@b')
  await user.type(screen.getByLabelText('Password'), 'x{Enter}')
  expect(await screen.findByText('Try again in 2 seconds.')).toBeVisible()
  expect(screen.getByRole('button', { name: /Sign in/ })).toBeDisabled()
  await waitFor(() => expect(screen.getByRole('button', { name: /Sign in/ })).toBeEnabled(), { timeout: 8000 })
})

test('single sign-on is offered with its own name, its failure told as text, and gone from the address', async () => {
  hub.on('GET auth/options', { data: { registration: true, sso: true, sso_title: 'Example login' } })
  const { router } = renderApp(hub, '/login?sso_error=%3Cb%3Enot%20in%20a%20group%3C/b%3E', { signedIn: false })
  expect(await screen.findByText('<b>not in a group</b>')).toBeVisible()
  expect(router.state.location.search).toBe('')
  const button = await screen.findByRole('link', { name: /Example login/ })
  expect(button).toHaveAttribute('href', '/api/v1/auth/sso/start?next=%2F')
  expect(screen.getByRole('link', { name: 'Make an account' })).toBeVisible()
})

test('an invitation: its token leaves the address, and one comes in with it', async () => {
  hub.on('POST auth/join/look', ({ body }) =>
    (body as { token: string }).token === 'mhi_secret'
      ? { data: { kind: 'invite', email: 'new@example.org', role: 'user', expires_at: '2035-01-01T00:00:00Z' } }
      : { status: 404, error: 'NOT_FOUND', message: 'No such invitation.' },
  )
  hub.on('POST auth/join', { status: 201, ...signedInAnswer('token-1', 900, { name: 'New', permissions: [] }) })
  const { user, router } = renderApp(hub, '/join#mhi_secret', { signedIn: false })
  expect(await screen.findByText(/with the role user/)).toBeVisible()
  expect(router.state.location.hash).toBe('')
  expect(screen.getByLabelText('Email')).toHaveValue('new@example.org')
  expect(screen.getByLabelText('Email')).toBeDisabled()
  await user.type(screen.getByLabelText('Name'), 'New')
  await user.type(screen.getByLabelText('Password'), 'a long enough one')
  await user.click(screen.getByRole('button', { name: 'Join' }))
  expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible()
  expect(calls('auth/join').at(-1)?.body).toEqual({ token: 'mhi_secret', name: 'New', password: 'a long enough one' })
})

test('an invitation that is over says so', async () => {
  hub.on('POST auth/join/look', { status: 404, error: 'NOT_FOUND', message: 'This invitation was used.' })
  renderApp(hub, '/join#mhi_old', { signedIn: false })
  expect(await screen.findByText('This invitation was used.')).toBeVisible()
})

test('registering, where the hub allows it', async () => {
  hub.on('GET auth/options', { data: { registration: true, sso: false, sso_title: '' } })
  const problem = { loc: ['password'], msg: 'Too common', type: 'value_error' }
  hub.on('POST auth/register', ({ body }) =>
    (body as { password: string }).password === 'password1'
      ? { status: 422, error: 'VALIDATION_FAILED', message: 'Some fields are wrong.', details: { errors: [problem] } }
      : { status: 201, ...signedInAnswer() },
  )
  const { user } = renderApp(hub, '/register', { signedIn: false })
  await user.type(await screen.findByLabelText('Email'), 'a@b.example')
  await user.type(screen.getByLabelText('Password'), 'password1')
  expect(screen.getByText('Weak: easy to guess')).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Make the account' }))
  expect(await screen.findByText('Too common')).toBeInTheDocument()
  await user.type(screen.getByLabelText('Password'), ' but longer')
  await user.click(await screen.findByRole('button', { name: /Make the account/ }))
  expect(await screen.findByRole('heading', { name: 'Overview' })).toBeVisible()
})

describe('the first administrator', () => {
  test('makes the account their own', async () => {
    hub.on('PATCH auth/me', { ...{ data: signedInAnswer('t', 900, { name: 'Ada', set_up: true }).data.user } })
    hub.on('POST auth/password', { data: {} })
    const { user } = renderApp(hub, '/library', { profile: { set_up: true, name: '' } })
    await user.type(await screen.findByLabelText('Name'), 'Ada')
    await user.type(screen.getByLabelText('Present password'), 'made up')
    await user.type(screen.getByLabelText('Your own password'), 'eleven purple ducks')
    await user.click(screen.getByRole('button', { name: 'Save and go on' }))
    expect(await screen.findByRole('heading', { name: 'Library' })).toBeVisible()
    expect(calls('auth/me').at(-1)?.body).toEqual({ name: 'Ada' })
    expect(calls('auth/password').at(-1)?.body).toEqual({ current: 'made up', new: 'eleven purple ducks' })
  })

  test('may keep the present password, after having read what that means', async () => {
    const { user } = renderApp(hub, '/library', { profile: { set_up: true } })
    await user.click(await screen.findByRole('button', { name: 'Keep the present password' }))
    expect(screen.getByText(/Whoever knows it can sign in/)).toBeVisible()
    await user.click(screen.getByRole('button', { name: 'Keep it for now' }))
    expect(await screen.findByRole('heading', { name: 'Library' })).toBeVisible()
  })
})
