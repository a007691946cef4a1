import { api, keysetPages } from '@/lib/api'
import type { ApiKey, ApiKeyMade, ApiKeyRequest, Page } from '@/types'

const keys = api.injectEndpoints({
  endpoints: (build) => ({
    apiKeys: build.infiniteQuery<Page<ApiKey>, { all?: boolean }, string>({
      query: ({ queryArg: { all }, pageParam }) => ({ url: 'api-keys', params: { all: all || undefined, after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['ApiKey'],
      keepUnusedDataFor: 0,
    }),
    makeKey: build.mutation<ApiKeyMade, ApiKeyRequest>({
      query: (body) => ({ url: 'api-keys', method: 'POST', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['ApiKey']),
    }),
    revokeKey: build.mutation<unknown, string>({
      query: (id) => ({ url: `api-keys/${id}`, method: 'DELETE' }),
      invalidatesTags: ['ApiKey'],
    }),
  }),
})

export const { useApiKeysInfiniteQuery, useMakeKeyMutation, useRevokeKeyMutation } = keys
