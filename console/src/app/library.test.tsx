/** The library as a person meets it: filters, versions, news, and what deleting would do. */
import { screen, waitFor, within } from '@testing-library/react'

import { makeModel } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'
import type { Model, ModelImpact, ModelVersion } from '@/types'

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const NEWER: Model['newer'] = {
  commit: 'feedface'.repeat(5), revision: 'main', checked_at: '2026-01-31T10:00:00Z', added: 1, removed: 0, changed: 1, same: 5,
  files: { added: [{ path: 'new.json', size: 10 }], removed: [], changed: [{ path: 'model.safetensors', size: 2048 }] },
  bytes_to_fetch: 2058,
}
const version = (changes: Partial<ModelVersion>): ModelVersion => {
  const { id: _id, ...facts } = makeModel()
  return { ...facts, id: 'm1', model_id: 'm1', active: false, deployments: [], verified_at: null, ...changes } as ModelVersion
}
const impact = (changes: Partial<ModelImpact> = {}) => ({
  data: {
    model_id: 'm1', versions: 1, bytes_total: 2048, bytes_freed: 1024, bytes_shared: 1024, bytes_remote: 0, deployments: [], children: [],
    downloads: [], chat_sessions: 0, hidden: 0, refused: false, reason: '', ...changes,
  } satisfies ModelImpact,
})

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
  for (const path of ['downloads', 'deployments', 'chat/sessions']) hub.on(`GET ${path}`, list())
  hub.on('GET models', list(makeModel({ newer: NEWER })))
  hub.on('GET models/m1', { data: makeModel({ newer: NEWER }) })
  hub.on('GET models/m1/card', { data: { text: '# Tiny' } })
})
afterEach(() => hub.stop())

test('the library is narrowed and sorted by the hub, and marks what has something newer', async () => {
  const asked: string[] = []
  hub.on('GET models', ({ query }) => {
    asked.push(query.toString())
    return list(makeModel({ newer: NEWER }))
  })
  const { user } = renderApp(hub, '/library')
  expect(await screen.findByText('Newer')).toBeVisible()
  await user.type(screen.getByRole('searchbox', { name: 'Name, ref or tag' }), 'llama{Enter}')
  await user.type(screen.getByRole('textbox', { name: 'Tag' }), 'chat{Enter}')
  await waitFor(() => expect(asked.at(-1)).toContain('q=llama'))
  await waitFor(() => expect(asked.at(-1)).toContain('tag=chat'))
})

test('what is newer is shown file by file and brought in', async () => {
  let updated = 0
  hub.on('POST models/m1/update', () => {
    updated += 1
    return { status: 202, data: { id: 'd1' } }
  })
  const { user } = renderApp(hub, '/library/m1')
  expect(await screen.findByText(/1 new, 0 gone, 1 changed, 5 the same/)).toBeVisible()
  await user.click(screen.getByText('Which files'))
  const changed = await screen.findByText('~ model.safetensors')
  await waitFor(() => expect(changed).toBeVisible(), { timeout: 5000 }) // it unfolds
  await user.click(screen.getByRole('button', { name: /Update \(2.* to fetch\)/ }))
  expect(await screen.findByText('No downloads yet')).toBeVisible()
  expect(updated).toBe(1)
})

test('a version is compared with the active one and made active', async () => {
  const activated: string[] = []
  hub.on('GET models/m1/versions', list(version({ id: 'v2', commit: 'b'.repeat(40), active: true }), version({ id: 'v1', commit: 'a'.repeat(40) })))
  hub.on('GET models/m1/versions/compare', {
    data: { a: 'v1', b: 'm1', added: [{ path: 'x.bin', size: 5, sha256: null }], removed: [], changed: [], same: [], facts: {} },
  })
  hub.on('POST models/m1/versions/v1/activate', () => {
    activated.push('v1')
    return { data: makeModel({ active_version_id: 'v1' }) }
  })
  const { user } = renderApp(hub, '/library/m1')
  await user.click(await screen.findByRole('tab', { name: 'Versions' }))
  const row = await screen.findByRole('listitem', { name: 'a'.repeat(12) })
  await user.click(within(row).getByRole('button', { name: /Compare/ }))
  expect(await screen.findByText('+ x.bin')).toBeInTheDocument()
  await user.click(within(row).getByRole('button', { name: `Make ${'a'.repeat(12)} active` }))
  await waitFor(() => expect(activated).toEqual(['v1']))
})

test('deleting shows what comes free, and is not offered while something needs the model', async () => {
  hub.on('GET models/m1/impact', impact())
  const { user } = renderApp(hub, '/library/m1')
  await user.click(await screen.findByRole('button', { name: 'Delete tiny' }))
  expect(await screen.findByText(/1.* come free on this disk/)).toBeInTheDocument()
  expect(screen.getByText(/other models hold the same content/)).toBeInTheDocument()
  await user.click(screen.getByRole('button', { name: 'Cancel' }))

  hub.on('GET models/m1/impact', impact({ refused: true, deployments: [{ id: 'p1', name: 'chatty', status: 'running' }], hidden: 1 }))
  await user.click(screen.getByRole('button', { name: 'Delete tiny' }))
  expect(await screen.findByText('Deployment chatty')).toBeInTheDocument()
  expect(screen.getByText("Something of somebody else's")).toBeInTheDocument()
  expect(screen.getByRole('button', { name: 'Delete' })).toBeDisabled()
})

test('a model is renamed and tagged', async () => {
  let sent: unknown
  hub.on('PATCH models/m1', ({ body }) => {
    sent = body
    return { data: makeModel({ name: 'mine' }) }
  })
  const { user } = renderApp(hub, '/library/m1')
  await user.click(await screen.findByRole('button', { name: 'Edit tiny' }))
  const name = await screen.findByLabelText('Name')
  await user.clear(name)
  await user.type(name, 'mine')
  await user.type(screen.getByRole('combobox', { name: 'Tags' }), 'good{Enter}')
  await user.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(sent).toEqual({ name: 'mine', description: '', tags: ['good'] }))
})

test('the store asks for what is shared and a tag narrows it', async () => {
  const asked: string[] = []
  hub.on('GET models', ({ query }) => {
    asked.push(query.toString())
    return list(makeModel({ visibility: 'public', tags: ['chat'], description: 'A small one' }))
  })
  const { user } = renderApp(hub, '/store')
  const card = await screen.findByRole('listitem', { name: 'tiny' })
  expect(within(card).getByText('A small one')).toBeVisible()
  await waitFor(() => expect(asked.some((query) => query.includes('shared=true'))).toBe(true))
  await user.click(within(card).getByRole('button', { name: 'chat' }))
  await waitFor(() => expect(asked.at(-1)).toContain('tag=chat'))
})
