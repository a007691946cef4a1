import { api, keysetPages } from '@/lib/api'
import type { Page, Quarantined } from '@/types'

export interface QuarantineFilters {
  status?: Quarantined['status']
  model_id?: string
}

const quarantine = api.injectEndpoints({
  endpoints: (build) => ({
    quarantine: build.infiniteQuery<Page<Quarantined>, QuarantineFilters, string>({
      query: ({ queryArg, pageParam }) => ({ url: 'quarantine', params: { ...queryArg, after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['Quarantine'],
    }),
    release: build.mutation<Quarantined, { id: string; reason: string }>({
      query: ({ id, reason }) => ({ url: `quarantine/${id}/release`, method: 'POST', body: { reason } }),
      invalidatesTags: ['Quarantine', 'Model'],
    }),
    discard: build.mutation<null, string>({
      query: (id) => ({ url: `quarantine/${id}`, method: 'DELETE' }),
      invalidatesTags: ['Quarantine', 'Model'],
    }),
  }),
})

export const { useQuarantineInfiniteQuery, useReleaseMutation, useDiscardMutation } = quarantine
