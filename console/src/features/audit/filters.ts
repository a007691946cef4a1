import { useMemo } from 'react'
import { useSearchParams } from 'react-router'

import type { AuditFilters } from './api'

const NAMES = ['q', 'actor', 'action', 'object_id', 'result', 'address', 'request_id'] as const

/** Hours back from now; 0: since ever. */
export const PERIODS = { hour: 1, day: 24, week: 168, month: 720, ever: 0 } as const
export type Period = keyof typeof PERIODS | 'custom'

/** A time of `<input type="datetime-local">`, which is in the reader's zone, as the API wants it. */
const instant = (local: string | null): string | undefined => {
  const at = local ? new Date(local) : null
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined
}

/** What the address asks for; a period is counted from when it was chosen, so that one list stays one list. */
export function filtersOf(params: URLSearchParams, now: number): AuditFilters {
  const filters: AuditFilters = {}
  for (const name of NAMES) {
    const value = params.get(name)
    if (value) filters[name] = value
  }
  const period = params.get('period')
  if (period === 'custom') {
    filters.since = instant(params.get('from'))
    filters.until = instant(params.get('to'))
  } else {
    const hours = PERIODS[period as keyof typeof PERIODS] ?? 0
    if (hours > 0) filters.since = new Date(now - hours * 3_600_000).toISOString()
  }
  return filters
}

/** The filters live in the address: reloading, going back and sending the link keep them. */
export function useAuditFilters() {
  const [params, setParams] = useSearchParams()
  const text = params.toString()
  // eslint-disable-next-line react-hooks/purity -- "now" is when the filters were chosen.
  const filters = useMemo(() => filtersOf(new URLSearchParams(text), Date.now()), [text])
  const change = (changes: Record<string, string | undefined>) =>
    setParams((before) => {
      const next = new URLSearchParams(before)
      for (const [name, value] of Object.entries(changes)) {
        if (value) next.set(name, value)
        else next.delete(name)
      }
      return next
    })
  return { filters, change, value: (name: string) => params.get(name) ?? undefined }
}

/** The most used; any other, and `object.*`, may be typed. */
export const ACTIONS = [
  'session.*', 'session.sign_in', 'user.*', 'invite.*', 'role.*', 'team.*', 'key.*', 'model.*', 'download.*', 'deployment.*', 'audit.*',
]
export const RESULTS = ['done', 'denied', 'failed'] as const
