/** The queue, the disk and the hub's settings for downloads. */
import { screen, waitFor, within } from '@testing-library/react'

import { makeDownload } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
  hub.on('GET deployments', list())
  hub.on('GET models', list())
})
afterEach(() => hub.stop())

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const last = (method: string, path: string) => hub.calls.findLast((call) => call.path === path && call.method === method)

const a = makeDownload({ id: 'a', name: 'first', status: 'pending', position: 1 })
const b = makeDownload({
  id: 'b', name: 'second', status: 'held', position: 2,
  waiting: { code: 'OUTSIDE_HOURS', message: 'Downloads run from 22:00 to 06:00.', details: {} },
})
const c = makeDownload({
  id: 'c', name: 'third', status: 'held', position: 3,
  waiting: { code: 'OUT_OF_SPACE', message: '5 bytes are missing.', details: {} },
})

test('the queue is shown in its order, says what holds it, and is moved', async () => {
  hub.on('GET downloads', list(a, b, c))
  hub.on('POST downloads/b/move', { data: { ...b, position: 1 } })
  hub.on('POST downloads/a/move', { data: a })
  hub.on('PATCH downloads/b', { data: { ...b, status: 'pending', waiting: null } })
  const { user } = renderApp(hub, '/downloads')
  await user.click(await screen.findByText('Queue'))
  const queue = await screen.findByRole('list', { name: 'Queue' })
  expect(within(queue).getAllByRole('listitem').map((row) => row.getAttribute('aria-label'))).toEqual(['first', 'second', 'third'])
  expect(last('GET', 'downloads')?.query.get('sort')).toBe('queue')
  expect(within(queue).getByText('Place 2 in the queue')).toBeVisible()

  await user.click(within(queue).getByRole('button', { name: 'Move second up' }))
  await waitFor(() => expect(last('POST', 'downloads/b/move')?.body).toEqual({ before: 'a', to: null }))
  await user.click(within(queue).getByRole('button', { name: 'Move first down' }))
  await waitFor(() => expect(last('POST', 'downloads/a/move')?.body).toEqual({ before: 'c', to: null }))
  expect(within(queue).getByRole('button', { name: 'Move third down' })).toBeDisabled()

  expect(within(queue).getByText('5 bytes are missing.')).toBeVisible()
  expect(within(queue).getByRole('link', { name: 'See what could be removed' })).toHaveAttribute('href', '/storage')
  await user.click(within(queue).getByRole('button', { name: 'Run second now' }))
  await waitFor(() => expect(last('PATCH', 'downloads/b')?.body).toEqual({ any_time: true }))
})

test('limits of one download: who is no operator cannot go before others', async () => {
  hub.on('GET downloads', list(makeDownload({ owner_id: 'u1' })))
  hub.on('PATCH downloads/d1', ({ body }) => ({ data: makeDownload({ ...(body as object), version: 2 }) }))
  const profile = { permissions: ['downloads.read', 'downloads.write', 'all.write'] }
  const { user } = renderApp(hub, '/downloads', { profile })
  await user.click(await screen.findByRole('button', { name: 'Speed and place of tiny' }))
  const dialog = await screen.findByRole('dialog')
  expect(within(dialog).queryByRole('switch')).toBeNull()
  await user.type(within(dialog).getByLabelText('Speed'), '2')
  await user.click(within(dialog).getByRole('button', { name: 'Save' }))
  await waitFor(() => expect(last('PATCH', 'downloads/d1')?.body).toEqual({ rate: 2 * 1024 * 1024, connections: null, priority: 0 }))
})

test('what cannot go on from the middle is only paused after a question', async () => {
  hub.on('GET downloads', list(makeDownload({ resumable: false, bytes_done: 5 })))
  hub.on('POST downloads/d1/pause', { status: 202, data: makeDownload({ status: 'paused', version: 2 }) })
  const { user } = renderApp(hub, '/downloads')
  await user.click(await screen.findByRole('button', { name: 'Pause tiny' }))
  expect(await screen.findByText(/will begin from zero/)).toBeInTheDocument()
  expect(last('POST', 'downloads/d1/pause')).toBeUndefined()
  await user.click(screen.getByRole('button', { name: 'Pause' }))
  await waitFor(() => expect(last('POST', 'downloads/d1/pause')).toBeDefined())
})

test('storage names the disks, what waits and what could go', async () => {
  hub.on('GET downloads', list())
  hub.on('GET storage', {
    data: {
      filesystems: [{ path: '/data', folders: ['models', 'incoming'], total: 1000, used: 400, free: 600, reserved: 100, reserve: 50, available: 450 }],
      use: { models: 300, blobs: 200, incoming: 10, uploads: 0 },
      held: [{ id: 'c', name: 'third', waiting: c.waiting }],
      removable: [{ kind: 'model', id: 'm1', name: 'old', bytes: 150, owner_name: 'Ada' }],
    },
  })
  renderApp(hub, '/storage')
  expect(await screen.findByText('600 B free of 1000 B')).toBeVisible()
  expect(screen.getByText('Promised 100 B')).toBeVisible()
  expect(screen.getByText(/5 bytes are missing/)).toBeVisible()
  expect(screen.getByRole('link', { name: 'old' })).toHaveAttribute('href', '/library/m1')
})

test('speed and hours are set for the whole hub', async () => {
  hub.on('GET downloads', list())
  const settings = { rate: null, parallel: 4, connections: null, hours: null, time_zone: 'CET (UTC+0100)', now: { rate: null, held: false, until: null } }
  hub.on('GET settings/transfers', { data: settings })
  hub.on('PUT settings/transfers', ({ body }) => ({ data: { ...settings, ...(body as object) } }))
  const { user } = renderApp(hub, '/admin/settings')
  await user.type(await screen.findByLabelText('Speed of all downloads together'), '10')
  await user.click(screen.getByRole('switch'))
  await user.click(await screen.findByRole('radio', { name: 'Download slowly' }))
  await user.click(screen.getByRole('button', { name: 'Save' }))
  await waitFor(() =>
    expect(last('PUT', 'settings/transfers')?.body).toEqual({
      rate: 10 * 1024 * 1024, parallel: 4, connections: null,
      hours: { begin: '22:00', end: '06:00', outside: 'slow', rate: 1024 * 1024 },
    }),
  )
  expect(await screen.findByText('Saved; it holds already.')).toBeInTheDocument()
})
