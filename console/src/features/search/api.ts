import { api, keysetPages } from '@/lib/api'
import type { FoundModel, Page, RemoteModel, Source } from '@/types'

export interface SearchFilters {
  source: string
  q?: string
  author?: string
  task?: string
  library?: string
  license?: string
  language?: string
  tags?: string
  min_parameters?: string
  max_parameters?: string
  gated?: string
  sort?: string
}

const search = api.injectEndpoints({
  endpoints: (build) => ({
    sources: build.query<Source[], void>({
      query: () => ({ url: 'sources' }),
      transformResponse: (answer: { items: Source[] }) => answer.items,
      keepUnusedDataFor: 3600,
    }),
    search: build.infiniteQuery<Page<FoundModel>, SearchFilters, string>({
      query: ({ queryArg, pageParam }) => ({ url: 'search', params: { ...queryArg, after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      keepUnusedDataFor: 60,
    }),
    remoteModel: build.query<RemoteModel, { source: string; ref: string; revision?: string }>({
      query: (params) => ({ url: 'search/model', params }),
      keepUnusedDataFor: 60,
    }),
  }),
})

export const { useSourcesQuery, useSearchInfiniteQuery, useRemoteModelQuery } = search
