import { api, keysetPages } from '@/lib/api'
import type { AuditEntry, AuditVerdict, Page } from '@/types'

export interface AuditFilters {
  q?: string
  actor?: string
  action?: string
  object_id?: string
  result?: string
  address?: string
  request_id?: string
  since?: string
  until?: string
}

const audit = api.injectEndpoints({
  endpoints: (build) => ({
    audit: build.infiniteQuery<Page<AuditEntry>, AuditFilters, string>({
      query: ({ queryArg, pageParam }) => ({ url: 'audit', params: { ...queryArg, after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      transformResponse: ({ items, next }: { items: AuditEntry[]; next: number | null }) => ({
        items,
        next: next === null ? null : String(next),
      }),
      providesTags: ['Audit'],
      keepUnusedDataFor: 0,
    }),
    verifyAudit: build.query<AuditVerdict, void>({
      query: () => ({ url: 'audit/verify' }),
      keepUnusedDataFor: 0,
    }),
  }),
})

export const { useAuditInfiniteQuery, useLazyVerifyAuditQuery } = audit
