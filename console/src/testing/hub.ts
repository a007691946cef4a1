import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Server, type Socket } from 'socket.io'

export interface Call {
  method: string
  path: string
  query: URLSearchParams
  token: string | null
  body: unknown
  headers: IncomingMessage['headers']
}

export interface Answer {
  status?: number
  data?: unknown
  error?: string
  message?: string
  details?: unknown
  headers?: Record<string, string>
  /** A file instead of an envelope. */
  text?: string
}

type Handler = (call: Call) => Answer | Promise<Answer>

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += chunk
  if (request.headers['content-type']?.includes('octet-stream')) return text
  return text ? JSON.parse(text) : undefined
}

/** The hub's two dialects, spoken by a real HTTP and Socket.IO server: what it answers is up to the test. */
export async function startHub() {
  // What no test speaks for is empty and quiet.
  const handlers = new Map<string, Handler>([
    ['GET auth/options', () => ({ data: { registration: false, sso: false, sso_title: '' } })],
    ...['teams', 'roles', 'downloads', 'deployments', 'models', 'chat/sessions', 'sources'].map(
      (list): [string, Handler] => [`GET ${list}`, () => ({ data: { items: [], next: null } })],
    ),
  ])
  const calls: Call[] = []
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://hub')
    const call: Call = {
      method: request.method ?? 'GET',
      path: url.pathname.replace('/api/v1/', ''),
      query: url.searchParams,
      token: request.headers.authorization?.replace('Bearer ', '') ?? null,
      body: await bodyOf(request),
      headers: request.headers,
    }
    calls.push(call)
    const handler = handlers.get(`${call.method} ${call.path}`)
    const answer: Answer = handler
      ? await handler(call)
      : { status: 404, error: 'NOT_FOUND', message: `The test has no ${call.method} ${call.path}.` }
    const { status = 200, headers = {}, text, ...rest } = answer
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
    response.end(text ?? JSON.stringify({ success: status < 400, ...rest }))
  })
  const sockets = new Server(server, { transports: ['websocket'], cors: { origin: '*' } })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  for (const namespace of ['/downloads', '/deployments', '/chat']) {
    sockets.of(namespace).on('connection', (socket) =>
      setImmediate(() => {
        if (socket.listenerCount('subscribe') === 0) socket.on('subscribe', (_payload, ack) => ack({ ok: true, snapshot: [], seq: 0 }))
      }),
    )
  }

  // The page asks for relative addresses, as it does in a browser.
  const realFetch = globalThis.fetch
  globalThis.fetch = (input, init) => realFetch(typeof input === 'string' ? origin + input : input, init)

  return {
    origin,
    sockets,
    calls,
    on: (route: string, handler: Handler | Answer) =>
      handlers.set(route, typeof handler === 'function' ? handler : () => handler),
    /** Answer `subscribe` of a namespace; returns what has connected and been asked so far. */
    live: (namespace: string, subscribe: (payload: never, socket: Socket) => object) => {
      const asked: unknown[] = []
      const tokens: unknown[] = []
      sockets.of(namespace).on('connection', (socket) => {
        tokens.push(socket.handshake.auth.token)
        socket.on('subscribe', (payload, ack) => {
          asked.push(payload)
          ack({ ok: true, ...subscribe(payload as never, socket) })
        })
        socket.on('unsubscribe', (_payload, ack) => ack({ ok: true }))
      })
      return { asked, tokens }
    },
    stop: async () => {
      globalThis.fetch = realFetch
      await sockets.close()
    },
  }
}

export type TestHub = Awaited<ReturnType<typeof startHub>>
