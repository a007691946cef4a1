import { api } from '@/lib/api'
import type { Garbage, Job, Storage } from '@/types'

const storage = api.injectEndpoints({
  endpoints: (build) => ({
    // What lies on the disk changes with every model that comes or goes.
    storage: build.query<Storage, void>({ query: () => ({ url: 'storage' }), providesTags: ['Storage', 'Model', 'Download'] }),
    garbage: build.query<Garbage, void>({ query: () => ({ url: 'storage/garbage' }), providesTags: ['Storage'] }),
    reclaim: build.mutation<Garbage, void>({
      query: () => ({ url: 'storage/garbage', method: 'POST' }), invalidatesTags: ['Storage'],
    }),
    verify: build.mutation<Job, string | null>({
      query: (model_id) => ({ url: 'storage/verify', method: 'POST', body: { model_id } }), invalidatesTags: ['Job'],
    }),
  }),
})

export const { useStorageQuery, useGarbageQuery, useReclaimMutation, useVerifyMutation } = storage
