import { api } from '@/lib/api'
import type { Storage } from '@/types'

const storage = api.injectEndpoints({
  endpoints: (build) => ({
    // What lies on the disk changes with every model that comes or goes.
    storage: build.query<Storage, void>({ query: () => ({ url: 'storage' }), providesTags: ['Storage', 'Model', 'Download'] }),
  }),
})

export const { useStorageQuery } = storage
