/** Files that are kept back: what was found in them, and what an administrator decides. */
import { screen, waitFor, within } from '@testing-library/react'

import { makeModel } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'
import type { Quarantined } from '@/types'

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const held = (changes: Partial<Quarantined> = {}): Quarantined => ({
  id: 'q1', model_id: 'm1', model_name: 'tiny', version_id: 'm1', path: 'pytorch_model.bin', size: 2048, sha256: null, status: 'held',
  findings: [
    { scanner: 'picklescan', severity: 'none', message: 'picklescan found nothing.' },
    { scanner: 'pickle', severity: 'dangerous', message: 'Loading it would call posix.system: it can run anything.' },
  ],
  decided_by: null, decided_at: null, reason: '', created_at: '2026-01-31T10:00:00Z', ...changes,
})
const last = (method: string, path: string) => hub.calls.findLast((call) => call.path === path && call.method === method)

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
  hub.on('GET quarantine', list(held()))
  for (const path of ['downloads', 'deployments', 'chat/sessions']) hub.on(`GET ${path}`, list())
  hub.on('GET models/m1/card', { data: { text: '' } })
})
afterEach(() => hub.stop())

test('a file is released for a reason only', async () => {
  hub.on('POST quarantine/q1/release', () => {
    hub.on('GET quarantine', list())
    return { data: held({ status: 'released' }) }
  })
  const { user } = renderApp(hub, '/admin/quarantine')
  await user.click(await screen.findByRole('button', { name: 'Findings of pytorch_model.bin' }))
  const found = await screen.findByRole('list', { name: 'What was found' })
  expect(within(found).getAllByRole('listitem')[0]).toHaveTextContent('Dangerous Loading it would call posix.system')
  await user.click(screen.getByRole('button', { name: /Release …/ }))
  expect(await screen.findByText(/may run what is hidden in it/)).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Release it' }))
  expect(await screen.findByText(/Say why/)).toBeInTheDocument()
  expect(last('POST', 'quarantine/q1/release')).toBeUndefined()
  await user.type(screen.getByRole('textbox', { name: 'Why may it be trusted?' }), 'made here')
  await user.click(screen.getByRole('button', { name: 'Release it' }))
  expect(await screen.findByText('No such file is in quarantine')).toBeInTheDocument()
  expect(last('POST', 'quarantine/q1/release')?.body).toEqual({ reason: 'made here' })
})

test('a file is deleted once that is confirmed', async () => {
  hub.on('DELETE quarantine/q1', { data: null })
  const { user } = renderApp(hub, '/admin/quarantine')
  await user.click(await screen.findByRole('button', { name: 'Findings of pytorch_model.bin' }))
  await user.click(await screen.findByRole('button', { name: /Delete …/ }))
  await user.click(await screen.findByRole('button', { name: 'Delete it' }))
  await waitFor(() => expect(last('DELETE', 'quarantine/q1')).toBeDefined())
})

test('a model tells that its weights are kept back, and which code is not run', async () => {
  hub.on('GET models/m1', { data: makeModel({ status: 'quarantined', remote_code: ['modeling_tiny.py'] }) })
  renderApp(hub, '/library/m1')
  expect(await screen.findByText(/weights of this model are in quarantine/)).toBeVisible()
  expect(screen.getByRole('link', { name: 'See the quarantine' })).toHaveAttribute('href', '/admin/quarantine?model=m1')
  expect(screen.getByText(/It is not run/)).toBeVisible()
  expect(screen.getByText('modeling_tiny.py')).toBeVisible()
})

test('who may not release is told whom to ask, and has no page', async () => {
  hub.on('GET models/m1', { data: makeModel({ status: 'quarantined' }) })
  renderApp(hub, '/library/m1', { profile: { permissions: ['models.read'] } })
  expect(await screen.findByText(/An administrator can look at them/)).toBeVisible()
  expect(screen.queryByRole('link', { name: /quarantine/i })).toBeNull()
})
