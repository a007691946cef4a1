import { useCallback, useEffect, useReducer, useState } from 'react'

import { ask, follow, type HubEvent } from '@/lib/socket'

import { useLazyDeploymentLogsQuery } from './api'

/** The screen keeps the newest lines; the file keeps all. */
export const MOST_LINES = 5000

export interface Log {
  lines: string[]
  /** Byte offset after the last line held: what comes before it is a repetition. */
  next: number
}

/** Append what lies beyond the offset held; replays after a reconnection change nothing. */
export function appendLog(log: Log, piece: { lines: string[]; next: number }): Log {
  if (piece.next <= log.next) return log
  return { lines: [...log.lines, ...piece.lines].slice(-MOST_LINES), next: piece.next }
}

const EMPTY: Log = { lines: [], next: 0 }

/** Kept lines by REST page after page, then live ones by socket from the same offset on. */
export function useLogs(id: string) {
  const [load] = useLazyDeploymentLogsQuery()
  const [log, append] = useReducer(appendLog, EMPTY)
  const [error, setError] = useState<unknown>(null)
  const [loading, setLoading] = useState(true)
  const [attempt, setAttempt] = useState(0)

  useEffect(() => {
    let gone = false
    let leave = () => {}
    const run = async () => {
      let next = 0
      for (;;) {
        const page = await load({ id, after: next }).unwrap()
        if (gone) return
        append(page)
        if (page.next <= next) break
        next = page.next
      }
      const subscribe = () => void ask('/deployments', 'subscribe', { id, logs: true, after: next }).catch(setError)
      leave = follow<{ lines: string[] }>(
        '/deployments',
        subscribe,
        (event: HubEvent<{ lines: string[] }>) => {
          if (event.id !== id || event.type !== 'log') return
          next = Math.max(next, event.seq)
          append({ lines: event.data.lines, next: event.seq })
        },
        (lost) => lost === id && subscribe(),
      )
    }
    run().catch((reason: unknown) => !gone && setError(reason)).finally(() => !gone && setLoading(false))
    return () => {
      gone = true
      leave()
      void ask('/deployments', 'unsubscribe', { id }).catch(() => undefined)
    }
  }, [id, load, attempt])

  const retry = useCallback(() => {
    setError(null)
    setLoading(true)
    setAttempt((n) => n + 1)
  }, [])
  return { lines: log.lines, error, loading, retry }
}
