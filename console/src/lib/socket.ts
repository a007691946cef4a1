import { io, type Socket } from 'socket.io-client'

import { authOf, type AuthStore, freshToken, refreshSession } from '@/lib/refresh'

export type Namespace = '/downloads' | '/deployments' | '/chat'

/** A numbered change of one object; `seq` is a version for objects and an offset for text. */
export interface HubEvent<T = unknown> {
  id: string
  seq: number
  type: string
  data: T
}

export type Ack<T> = ({ ok: true } & T) | { ok: false; error: { code: string; message: string } }

let store: AuthStore | null = null
let origin = ''
const wires = new Map<Namespace, Socket>()
const watchers = new Set<() => void>()

/** Called once by the store: sockets take their tokens from it. `hub` is where it serves; empty: where the page is from. */
export function bindSockets(authStore: AuthStore, hub = ''): void {
  store = authStore
  origin = hub
}

function tell(): void {
  for (const watcher of watchers) watcher()
}

const patience = new WeakMap<Socket, number>()
/** The token each socket came with last. */
const presented = new WeakMap<Socket, string | null>()
/** Namespaces one's role does not include: silent until the role changes. */
const refused = new Set<Socket>()

/** A refused handshake or a kick by the hub (a session ended, a role changed) is not retried by the client itself: come
 *  back with a token the hub has not seen yet, fetched once for all; where that is refused, one is signed out.
 *  The wait doubles as long as it keeps happening. */
function reviveSoon(wire: Socket): void {
  const delay = patience.get(wire) ?? 250
  patience.set(wire, Math.min(delay * 2, 30_000))
  setTimeout(async () => {
    if (!store || wire.active || wire.connected || ![...wires.values()].includes(wire)) return
    try {
      const { token } = authOf(store.getState())
      const renewed = token !== null && token !== presented.get(wire)
      if (renewed || (await refreshSession(store))) wire.connect()
    } catch {
      reviveSoon(wire)
    }
  }, delay)
}

/** Ask again where one was refused: called when one's permissions have changed. */
export function retryRefused(): void {
  for (const wire of refused) wire.connect()
  refused.clear()
  tell()
}

/** The hub's refusals come as an object or, from its library, as that object's text. */
function isForbidden(error: Error & { data?: { code?: string } }): boolean {
  return error.data?.code === 'FORBIDDEN' || error.message.includes('FORBIDDEN')
}

/** The socket of one namespace, opened on first use; all of them share one WebSocket connection. */
export function socketOf(namespace: Namespace): Socket {
  const known = wires.get(namespace)
  if (known) return known
  const wire = io(origin + namespace, {
    path: '/socket.io',
    transports: ['websocket'],
    reconnectionDelayMax: 10_000,
    // A function: each reconnection presents a token that is valid then, not the one of the first time.
    auth: (present) => {
      if (!store) return present({})
      freshToken(store).then(
        (token) => {
          presented.set(wire, token)
          present({ token })
        },
        () => present({ token: null }),
      )
    },
  })
  wires.set(namespace, wire)
  wire.on('connect', () => {
    patience.delete(wire)
    refused.delete(wire)
    tell()
  })
  wire.on('disconnect', (reason) => {
    tell()
    if (reason === 'io server disconnect') reviveSoon(wire)
  })
  wire.on('connect_error', (error) => {
    if (isForbidden(error)) refused.add(wire)
    else if (!wire.active) reviveSoon(wire)
    tell()
  })
  return wire
}

const refusal = (code: string, message = '') => Object.assign(new Error(message), { status: 0, code, details: {} })

/** The hub checks the token it was given at connection with every event: an old one is traded for a new one here. */
async function renew(wire: Socket): Promise<void> {
  if (!store || !(await refreshSession(store))) throw refusal('UNAUTHENTICATED')
  wire.disconnect().connect()
}

/** Ask and wait for the acknowledgement. Rejects with an Error whose `code` the hub gave (or HUB_UNREACHABLE). */
export async function ask<T>(namespace: Namespace, name: string, payload: unknown, again = false): Promise<T> {
  const wire = socketOf(namespace)
  let answer: Ack<T>
  try {
    answer = (await wire.timeout(10_000).emitWithAck(name, payload)) as Ack<T>
  } catch {
    throw refusal('HUB_UNREACHABLE')
  }
  if (answer.ok) return answer
  if (answer.error.code !== 'UNAUTHENTICATED' || again) throw refusal(answer.error.code, answer.error.message)
  await renew(wire)
  return ask(namespace, name, payload, true)
}

/** Run `subscribe` now and after every reconnection, hand events on; returns the way out.
 *  `onLost`: the hub no longer tells of this object, since it may no longer be ours to see. */
export function follow<T>(
  namespace: Namespace,
  subscribe: (again: boolean) => void,
  onEvent: (event: HubEvent<T>) => void,
  onLost: (id: string) => void = () => undefined,
): () => void {
  const wire = socketOf(namespace)
  let again = false
  const onConnect = () => {
    subscribe(again)
    again = true
  }
  wire.on('connect', onConnect)
  const onUnsubscribed = ({ id }: { id: string }) => onLost(id)
  wire.on('event', onEvent)
  wire.on('unsubscribed', onUnsubscribed)
  if (wire.connected) onConnect()
  return () => {
    wire.off('connect', onConnect)
    wire.off('event', onEvent)
    wire.off('unsubscribed', onUnsubscribed)
  }
}

export function closeSockets(): void {
  for (const wire of wires.values()) wire.disconnect()
  wires.clear()
  refused.clear()
  tell()
}

/** Did the hub say that there is no such thing, or none for us? */
export const isGone = (reason: unknown): boolean =>
  reason instanceof Error && 'code' in reason && (reason.code === 'NOT_FOUND' || reason.code === 'FORBIDDEN')

/** For React's useSyncExternalStore: is every opened namespace connected? */
export const connection = {
  subscribe: (watcher: () => void) => {
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  },
  isUp: () => wires.size > 0 && [...wires.values()].every((wire) => wire.connected || refused.has(wire)),
}
