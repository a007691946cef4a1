/** The pages as a person meets them: by role and name, against a real HTTP and Socket.IO server. */
import { screen, waitFor, within } from '@testing-library/react'
import type { Socket } from 'socket.io'

import { makeDeployment, makeDownload, makeFound, makeMessage, makeModel, makeRemote, makeSession, signedInAnswer } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const sources = {
  data: {
    items: [
      { name: 'huggingface', title: 'Hugging Face', description: 'The Hub.', searchable: true },
      { name: 'starter', title: 'Starter', description: 'Made here.', searchable: false },
    ],
  },
}

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
  hub.on('GET downloads', list())
  hub.on('GET deployments', list())
  hub.on('GET models', list())
  hub.on('GET chat/sessions', list())
  hub.on('GET sources', sources)
})
afterEach(() => hub.stop())

const refused = { status: 401, error: 'UNAUTHENTICATED', message: 'Sign in.' }

test('signing in leads to where one wanted to go; a wrong password is explained in place', async () => {
  hub.on('POST auth/login', ({ body }) =>
    (body as { password: string }).password === 'right'
      ? signedInAnswer()
      : { status: 401, error: 'INVALID_CREDENTIALS', message: 'Email or password is wrong.' },
  )
  const { user } = renderApp(hub, '/downloads', { signedIn: false })
  await user.type(await screen.findByLabelText('Email'), 'admin@localhost')
  await user.type(screen.getByLabelText('Password'), 'wrong{Enter}')
  expect(await screen.findByText('Email or password is wrong.')).toBeVisible()

  await user.clear(screen.getByLabelText('Password'))
  await user.type(screen.getByLabelText('Password'), 'right{Enter}')
  expect(await screen.findByText('No downloads yet')).toBeVisible()
  expect(localStorage.getItem('modelhub.signed-in')).toBe('1')
  expect(JSON.stringify(localStorage)).not.toContain('token-1')
})

test('a session that is over leads to the door', async () => {
  renderApp(hub, '/library')
  hub.on('POST auth/refresh', refused)
  expect(await screen.findByRole('button', { name: 'Sign in' })).toBeVisible()
})

test('progress arrives by socket, older news does not, and a lost connection is made good', async () => {
  let wire: Socket | undefined
  let bytes = 100
  const { asked, tokens } = hub.live('/downloads', (_payload, socket) => {
    wire = socket
    return { snapshot: [makeDownload({ version: 2, bytes_done: bytes })], seq: 0 }
  })
  hub.on('GET downloads', () => list(makeDownload({ version: 1, bytes_done: 0 })))
  renderApp(hub, '/downloads')
  const bar = await screen.findByRole('progressbar', { name: 'Progress of tiny' })
  await waitFor(() => expect(bar).toHaveAttribute('aria-valuenow', '10'))
  expect(asked).toEqual([{ id: '*' }])
  expect(tokens).toEqual(['token-1'])

  const tell = (version: number, bytes_done: number) =>
    wire?.emit('event', { id: 'd1', seq: version, type: 'updated', data: makeDownload({ version, bytes_done, speed: 100, eta: 5 }) })
  tell(4, 400)
  tell(3, 300)
  await waitFor(() => expect(bar).toHaveAttribute('aria-valuenow', '40'))
  expect(screen.getByText('100 B/s')).toBeVisible()
  expect(screen.getByText('5 s left')).toBeVisible()

  bytes = 100
  hub.on('GET downloads', list(makeDownload({ version: 5, bytes_done: 900 })))
  wire?.conn.close()
  await waitFor(() => expect(asked).toHaveLength(2), { timeout: 8000 })
  await waitFor(() => expect(bar).toHaveAttribute('aria-valuenow', '90'))
})

test('a token that grew old on an open socket is renewed without a word', async () => {
  let refusals = 1
  const seen: unknown[] = []
  hub.sockets.of('/downloads').on('connection', (socket) => {
    seen.push(socket.handshake.auth.token)
    socket.on('subscribe', (_payload, ack) => {
      if (refusals-- > 0) {
        hub.on('POST auth/refresh', signedInAnswer('token-2'))
        ack({ ok: false, error: { code: 'UNAUTHENTICATED', message: 'Sign in.' } })
        socket.disconnect()
      } else ack({ ok: true, snapshot: [makeDownload({ name: 'late' })], seq: 0 })
    })
  })
  renderApp(hub, '/downloads')
  expect(await screen.findByText('late', {}, { timeout: 8000 })).toBeVisible()
  expect(seen.at(-1)).toBe('token-2')
})

test('pause is asked for, and what the hub answers is shown', async () => {
  hub.on('GET downloads', list(makeDownload()))
  hub.on('POST downloads/d1/pause', { status: 202, data: makeDownload({ status: 'paused', version: 2 }) })
  const { user } = renderApp(hub, '/downloads')
  await user.click(await screen.findByRole('button', { name: 'Pause tiny' }))
  expect(await screen.findByRole('button', { name: 'Resume tiny' })).toBeVisible()
})

test('a failed download says why and what to do', async () => {
  const error = { code: 'GATED_MODEL', message: 'org/tiny is gated.', details: {} }
  hub.on('GET downloads', list(makeDownload({ status: 'failed', error })))
  renderApp(hub, '/downloads')
  expect(await screen.findByText('org/tiny is gated.')).toBeVisible()
  expect(screen.getByText(/Accept the terms/)).toBeVisible()
  expect(screen.getByRole('button', { name: 'Try tiny again' })).toBeVisible()
})

test('search, look at a model, choose its files, download', async () => {
  hub.on('GET search', ({ query }) => (query.get('q') === 'tiny' ? list(makeFound()) : list()))
  hub.on('GET search/model', { data: makeRemote() })
  hub.on('POST downloads', { status: 202, data: makeDownload() })
  const { user, router } = renderApp(hub, '/search')
  await user.type(await screen.findByRole('searchbox', { name: 'Search for models' }), 'tiny{Enter}')
  await user.click(await screen.findByRole('button', { name: 'org/tiny' }))
  expect(router.state.location.search).toContain('q=tiny')

  const drawer = await screen.findByRole('dialog')
  expect(await within(drawer).findByRole('heading', { name: 'Tiny' })).toBeInTheDocument()
  await user.click(within(drawer).getByRole('tab', { name: 'Files (2)' }))
  await user.click(within(drawer).getByRole('checkbox', { name: 'config.json' }))
  expect(within(drawer).getByText('1 file, 1.95 KiB')).toBeInTheDocument()
  await user.click(within(drawer).getByRole('button', { name: /Download/ }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/downloads'))
  expect(hub.calls.find(({ method, path }) => method === 'POST' && path === 'downloads')?.body).toEqual({
    source: 'huggingface', ref: 'org/tiny', revision: 'main', include: ['model.safetensors'],
  })
})

test('a source that fails says so where the results would be', async () => {
  hub.on('GET search', { status: 502, error: 'UPSTREAM_UNREACHABLE', message: 'The Hub cannot be reached.' })
  renderApp(hub, '/search')
  expect(await screen.findByText('The Hub cannot be reached.')).toBeVisible()
  expect(screen.getByText('UPSTREAM_UNREACHABLE')).toBeVisible()
  expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible()
})

test('a model that is needed is not deleted, and the reason stands in the dialog', async () => {
  hub.on('GET models', list(makeModel()))
  hub.on('GET models/m1/impact', {
    data: {
      model_id: 'm1', versions: 1, bytes_total: 1, bytes_freed: 1, bytes_shared: 0, bytes_remote: 0, deployments: [], children: [],
      downloads: [], chat_sessions: 0, hidden: 0, refused: false, reason: '',
    },
  })
  hub.on('DELETE models/m1', { status: 409, error: 'CONFLICT', message: 'The deployment tiny needs it.' })
  const { user } = renderApp(hub, '/library')
  await user.click(await screen.findByRole('button', { name: 'Delete tiny' }))
  const dialog = await screen.findByRole('dialog')
  await user.click(within(dialog).getByRole('button', { name: 'Delete' }))
  expect(await within(dialog).findByText('The deployment tiny needs it.')).toBeInTheDocument()
})

test('deploy: the form is drawn from the runtime, and errors of the hub go to their fields', async () => {
  const threads = { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null, title: 'Threads' }
  hub.on('GET runtimes', { data: { items: [{ name: 'process', title: 'Process', options_schema: { properties: { threads } } }] } })
  hub.on('GET models', list(makeModel({ name: 'Org/My Model' })))
  const problem = { loc: ['name'], msg: 'Already taken', type: 'value_error' }
  hub.on('POST deployments', ({ body }) =>
    (body as { name: string }).name === 'my-model'
      ? { status: 422, error: 'VALIDATION_FAILED', message: 'Some fields are wrong.', details: { errors: [problem] } }
      : { status: 202, data: makeDeployment({ status: 'deploying' }) },
  )
  const { user, router } = renderApp(hub, '/library')
  await user.click(await screen.findByRole('button', { name: 'Deploy Org/My Model' }))
  const dialog = await screen.findByRole('dialog')
  const name = await within(dialog).findByRole('textbox', { name: 'Name' })
  expect(name).toHaveValue('my-model')
  await user.click(within(dialog).getByText('Options'))
  await user.type(await within(dialog).findByRole('spinbutton', { name: 'Threads' }), '2')
  await user.click(within(dialog).getByRole('button', { name: /Deploy/ }))
  expect(await within(dialog).findByText('Already taken')).toBeInTheDocument()

  await user.clear(name)
  await user.type(name, 'other')
  await user.click(within(dialog).getByRole('button', { name: /Deploy/ }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/deployments'))
  expect(hub.calls.findLast(({ method, path }) => method === 'POST' && path === 'deployments')?.body).toEqual({
    model_id: 'm1', name: 'other', runtime: 'process', options: { threads: 2 },
  })
})

describe('chat', () => {
  const question = makeMessage({ id: 'q1', role: 'user', content: 'Hi?' })
  const writing = makeMessage({ id: 'a1', status: 'generating', content: '' })

  beforeEach(() => hub.on('GET deployments', list(makeDeployment())))

  test('the first message makes the conversation and the answer streams in', async () => {
    hub.on('POST chat/sessions', { status: 201, data: makeSession() })
    hub.on('GET chat/sessions/s1', { data: makeSession({ messages: [question, writing] }) })
    let wire: Socket | undefined
    hub.sockets.of('/chat').on('connection', (socket) => {
      wire = socket
      socket.on('send', (_payload, ack) => {
        // The first piece may overtake everything.
        socket.emit('event', { id: 'a1', seq: 6, type: 'delta', data: { text: 'Hello ' } })
        ack({ ok: true, user: question, assistant: writing })
      })
      socket.on('subscribe', (_payload, ack) => ack({ ok: true, snapshot: writing, seq: 0 }))
    })
    const { user } = renderApp(hub, '/chat')
    await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'Hi?{Enter}')
    const log = await screen.findByRole('log', { name: 'Messages' })
    expect(await within(log).findByText('Hi?')).toBeVisible()
    expect(await within(log).findByText('Hello')).toBeVisible()
    wire?.emit('event', { id: 'a1', seq: 7, type: 'delta', data: { text: '👋' } })
    expect(await within(log).findByText('Hello 👋')).toBeVisible()
    expect(screen.getByRole('button', { name: 'Stop' })).toBeVisible()

    const done = makeMessage({ content: 'Hello 👋', completion_tokens: 2, duration_ms: 300, ttft_ms: 100 })
    wire?.emit('event', { id: 'a1', seq: 7, type: 'done', data: done })
    expect(await within(log).findByText('2 tokens · 10 tokens/s · first after 0.1 s')).toBeVisible()
    expect(screen.getByRole('button', { name: 'Send' })).toBeVisible()
  })

  test('a page opened in the middle of an answer goes on from where its text ends', async () => {
    hub.on('GET chat/sessions/s1', { data: makeSession({ messages: [question, { ...writing, content: 'One two' }] }) })
    const { asked } = hub.live('/chat', (_payload, socket) => {
      setTimeout(() => {
        socket.emit('event', { id: 'a1', seq: 7, type: 'delta', data: { text: ' two' } })
        socket.emit('event', { id: 'a1', seq: 13, type: 'delta', data: { text: ' three' } })
      })
      return { snapshot: { ...writing, content: '' }, seq: 7 }
    })
    renderApp(hub, '/chat/s1')
    expect(await screen.findByText('One two three')).toBeVisible()
    expect(asked).toEqual([{ id: 'a1', after: 7 }])
  })

  test('a missing piece is asked for again', async () => {
    hub.on('GET chat/sessions/s1', { data: makeSession({ messages: [question, writing] }) })
    const { asked } = hub.live('/chat', ({ after }: { after: number }, socket) => {
      const rest = 'abcdefgh'.slice(after)
      const lost = asked.length === 1
      setTimeout(() => {
        if (lost) {
          socket.emit('event', { id: 'a1', seq: 3, type: 'delta', data: { text: 'abc' } })
          socket.emit('event', { id: 'a1', seq: 8, type: 'delta', data: { text: 'gh' } })
        } else socket.emit('event', { id: 'a1', seq: 8, type: 'delta', data: { text: rest } })
      })
      return { snapshot: null, seq: after }
    })
    renderApp(hub, '/chat/s1')
    expect(await screen.findByText('abcdefgh')).toBeVisible()
    expect(asked).toEqual([{ id: 'a1', after: 0 }, { id: 'a1', after: 3 }])
  })

  test('a refused message is told and stays in the box', async () => {
    hub.on('GET chat/sessions/s1', { data: makeSession() })
    hub.sockets.of('/chat').on('connection', (socket) =>
      socket.on('send', (_payload, ack) => ack({ ok: false, error: { code: 'CONFLICT', message: 'tiny is stopping.' } })),
    )
    const { user } = renderApp(hub, '/chat/s1')
    const box = await screen.findByRole('textbox', { name: 'Message' })
    await user.type(box, 'Hi?{Enter}')
    expect(await screen.findByRole('alert')).toHaveTextContent(/tiny is stopping.*CONFLICT/)
    expect(box).toHaveValue('Hi?')
  })
})

test('the console speaks Chinese and remembers', async () => {
  const { user } = renderApp(hub, '/downloads')
  await user.click(await screen.findByRole('button', { name: 'Language' }))
  await user.click(await screen.findByText('简体中文'))
  expect(await screen.findByRole('heading', { name: '下载' })).toBeVisible()
  expect(JSON.parse(localStorage.getItem('modelhub.preferences') ?? '{}')).toMatchObject({ language: 'zh' })
  expect(document.documentElement.lang).toBe('zh')
})
