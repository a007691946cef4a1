/** Users, invitations, roles, teams, lock-outs and the audit log. */
import { screen, waitFor, within } from '@testing-library/react'

import { choose, pick } from '@/testing/choose'
import { makeEntry, makeInvite, makeRole, makeTeam, makeUser } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const last = (method: string, path: string) => hub.calls.findLast((call) => call.path === path && call.method === method)

const ada = makeUser({ id: 'u2', email: 'ada@example.org', name: 'Ada', role: 'user' })
const admin = makeRole({ name: 'admin', title: 'Administrator', permissions: ['roles.manage'] })

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
  hub.on('GET users', list(makeUser(), ada))
  hub.on('GET roles', list(makeRole(), admin))
})
afterEach(() => hub.stop())

test('users are searched, changed and deactivated', async () => {
  hub.on('PATCH users/u2', ({ body }) => ({ data: { ...ada, ...(body as object) } }))
  const { user } = renderApp(hub, '/admin/users')
  const row = await screen.findByRole('listitem', { name: 'ada@example.org' })
  await user.type(screen.getByRole('searchbox', { name: 'Name or email' }), 'ada{Enter}')
  await waitFor(() => expect(last('GET', 'users')?.query.get('q')).toBe('ada'))

  await user.click(await screen.findByRole('button', { name: 'Edit Ada' }))
  await choose(user, 'Role', 'Administrator', await screen.findByRole('dialog'))
  expect(await screen.findByText(/A new role ends/)).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(last('PATCH', 'users/u2')?.body).toEqual({ role: 'admin' }))

  await pick(user, 'More for Ada', 'Deactivate')
  hub.on('GET users', list({ ...ada, active: false }))
  await user.click(await screen.findByRole('button', { name: 'Deactivate' }))
  expect(await screen.findByText('Deactivated')).toBeVisible()
  expect(last('PATCH', 'users/u2')?.body).toEqual({ active: false })
  expect(row).toBeDefined()
})

test('removing says what goes and what stays; the hub\'s refusal stands in the dialog', async () => {
  hub.on('DELETE users/u2', { status: 409, error: 'CONFLICT', message: 'This is the last administrator.' })
  const { user } = renderApp(hub, '/admin/users')
  await pick(user, 'More for Ada', 'Remove')
  const dialog = await screen.findByRole('dialog')
  expect(within(dialog).getByText(/become yours/)).toBeInTheDocument()
  await user.click(within(dialog).getByRole('button', { name: 'Remove' }))
  expect(await within(dialog).findByText('This is the last administrator.')).toBeInTheDocument()
})

test('who may not manage users sees them only', async () => {
  renderApp(hub, '/admin/users', { profile: { permissions: ['users.read'] } })
  expect(await screen.findByRole('listitem', { name: 'ada@example.org' })).toBeVisible()
  expect(screen.queryByRole('button', { name: /Edit|More|Invite/ })).toBeNull()
  expect(screen.queryByRole('tab', { name: 'Invitations' })).toBeNull()
})

test('an invitation\'s link is shown once; an open one is revoked', async () => {
  hub.on('GET invites', list(makeInvite()))
  hub.on('POST invites', { status: 201, data: { ...makeInvite(), link: 'http://hub/join#mhi_x', token: 'mhi_x' } })
  hub.on('DELETE invites/v1', { data: {} })
  const { user } = renderApp(hub, '/admin/invitations')
  await user.click(await screen.findByRole('button', { name: /Invite somebody/ }))
  await user.type(await screen.findByLabelText('Email'), 'new@example.org')
  await user.click(screen.getByRole('button', { name: 'Make the link' }))
  expect(await screen.findByText('http://hub/join#mhi_x')).toBeInTheDocument()
  expect(last('POST', 'invites')?.body).toEqual({ email: 'new@example.org', role: 'user', teams: [], days: 7 })
  await user.click(await screen.findByRole('button', { name: /Done/ }))

  await user.click(screen.getByRole('button', { name: 'Revoke the link for new@example.org' }))
  await user.click(await screen.findByRole('button', { name: 'Revoke' }))
  await waitFor(() => expect(last('DELETE', 'invites/v1')).toBeDefined())
})

test('a lock-out is lifted', async () => {
  const lockout = {
    id: 'l1', kind: 'account', value: 'ada@example.org', failures: 6, locked: true,
    locked_until: '2035-01-01T00:00:00Z', last_failed_at: '2025-01-01T00:00:00Z',
  }
  hub.on('GET lockouts', list(lockout))
  hub.on('DELETE lockouts/l1', () => {
    hub.on('GET lockouts', list())
    return { data: {} }
  })
  const { user } = renderApp(hub, '/admin/lock-outs')
  expect(await screen.findByText('6 failures')).toBeVisible()
  await user.click(screen.getByRole('button', { name: 'Lift the lock-out of ada@example.org' }))
  expect(await screen.findByText('Nobody is locked out')).toBeVisible()
})

test('a role is made of what one holds, and nothing else can be ticked', async () => {
  const permissions = [{ name: 'chat.use', description: 'Chat' }, { name: 'audit.read', description: 'Read the log' }, { name: 'new.thing', description: 'Something new' }]
  hub.on('GET permissions', { data: { items: permissions } })
  hub.on('POST roles', { status: 201, data: makeRole({ name: 'talker' }) })
  const { user } = renderApp(hub, '/admin/roles', { profile: { permissions: ['chat.use', 'roles.manage', 'users.read', 'models.read'] } })
  const builtin = await screen.findByRole('listitem', { name: 'User' })
  expect(within(builtin).getByText('Built in')).toBeVisible()
  expect(screen.getByRole('button', { name: 'Edit Administrator' })).toBeDisabled()
  await user.click(await screen.findByRole('button', { name: /Make a role/ }))
  const dialog = await screen.findByRole('dialog')
  expect(within(dialog).getByRole('checkbox', { name: /audit.read/ })).toBeDisabled()
  expect(within(dialog).getByRole('checkbox', { name: /Something new/ })).toBeDisabled()
  await user.type(within(dialog).getByLabelText('Short name'), 'talker')
  await user.type(within(dialog).getByLabelText('Title'), 'Talker')
  await user.click(within(dialog).getByRole('checkbox', { name: /chat.use/ }))
  await user.click(within(dialog).getByRole('button', { name: 'Save' }))
  await waitFor(() =>
    expect(last('POST', 'roles')?.body).toEqual({ name: 'talker', title: 'Talker', description: '', permissions: ['chat.use'] }),
  )
})

test('a team gets a member, who becomes its manager', async () => {
  const member = { user_id: 'u2', name: 'Ada', email: 'ada@example.org', manager: false }
  hub.on('GET teams', list(makeTeam()))
  hub.on('PUT teams/t1/members/u2', ({ body }) => {
    const team = makeTeam({ members: [{ ...member, ...(body as object) }] })
    hub.on('GET teams', list(team))
    return { data: team }
  })
  const { user } = renderApp(hub, '/admin/teams')
  await user.click(await screen.findByRole('button', { name: 'Research' }))
  await choose(user, 'Add somebody', 'Ada · ada@example.org')
  await user.click(await screen.findByRole('switch', { name: 'Ada manages the team' }))
  await waitFor(() => expect(last('PUT', 'teams/t1/members/u2')?.body).toEqual({ manager: true }))
  await waitFor(() => expect(screen.getByRole('switch', { name: 'Ada manages the team' })).toBeChecked())
})

describe('the audit log', () => {
  test('is read page after page, filtered by address, and opened', async () => {
    hub.on('GET audit', ({ query }) =>
      query.get('after')
        ? { data: { items: [makeEntry({ seq: 5, action: 'user.create' })], next: null } }
        : { data: { items: [makeEntry()], next: 6 } },
    )
    const { user, router } = renderApp(hub, '/admin/audit?result=done&period=day')
    await user.click(await screen.findByRole('button', { name: 'Show more' }))
    expect(await screen.findByRole('button', { name: 'Entry 5: user.create' })).toBeVisible()
    expect(last('GET', 'audit')?.query.get('after')).toBe('6')
    expect(last('GET', 'audit')?.query.get('result')).toBe('done')
    expect(Date.now() - Date.parse(last('GET', 'audit')?.query.get('since') ?? '')).toBeGreaterThan(86_000_000)

    await user.click(screen.getByRole('button', { name: 'Entry 7: deployment.create' }))
    const drawer = await screen.findByRole('dialog')
    expect(within(drawer).getByText(/"runtime": "process"/)).toBeInTheDocument()
    await user.click(within(drawer).getByRole('button', { name: 'Only entries with r1' }))
    await waitFor(() => expect(router.state.location.search).toContain('request_id=r1'))
    await waitFor(() => expect(last('GET', 'audit')?.query.get('request_id')).toBe('r1'))
  })

  test('is verified, and an altered entry is named', async () => {
    hub.on('GET audit', { data: { items: [makeEntry()], next: null } })
    hub.on('GET audit/verify', { data: { ok: false, entries: 40, first_bad: 17, reason: 'Its hash does not fit.' } })
    const { user } = renderApp(hub, '/admin/audit')
    await user.click(await screen.findByRole('button', { name: /Verify/ }))
    expect(await screen.findByText(/breaks at entry 17/)).toBeVisible()
    hub.on('GET audit/verify', { data: { ok: true, entries: 40, first_bad: null, reason: '' } })
    await user.click(screen.getByRole('button', { name: /Verify/ }))
    expect(await screen.findByText('All 40 entries are as they were written.')).toBeVisible()
  })

  test('is taken along as a file, with the filters that were set', async () => {
    hub.on('GET audit', { data: { items: [makeEntry()], next: null } })
    hub.on('GET audit/export', { text: 'seq,at\n7,2025', headers: { 'Content-Type': 'text/csv' } })
    const saved: Blob[] = []
    URL.createObjectURL = (blob) => `blob:${saved.push(blob as Blob)}`
    URL.revokeObjectURL = () => undefined
    const { user } = renderApp(hub, '/admin/audit?actor=ada')
    await pick(user, 'Export', 'CSV')
    await waitFor(() => expect(saved).toHaveLength(1))
    expect(await saved[0]?.text()).toBe('seq,at\n7,2025')
    expect(Object.fromEntries(last('GET', 'audit/export')?.query ?? [])).toEqual({ actor: 'ada', format: 'csv' })
  })
})
