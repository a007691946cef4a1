import { api } from '@/lib/api'
import type { System } from '@/types'

const overview = api.injectEndpoints({
  endpoints: (build) => ({
    system: build.query<System, void>({ query: () => ({ url: 'system' }), providesTags: ['System'] }),
  }),
})

export const { useSystemQuery } = overview
