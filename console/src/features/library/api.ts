import { api, keysetPages } from '@/lib/api'
import type { Model, Page, Sharing } from '@/types'

const library = api.injectEndpoints({
  endpoints: (build) => ({
    models: build.infiniteQuery<Page<Model>, { q?: string }, string>({
      query: ({ queryArg, pageParam }) => ({ url: 'models', params: { ...queryArg, after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['Model'],
    }),
    model: build.query<Model, string>({
      query: (id) => ({ url: `models/${id}` }),
      providesTags: ['Model'],
    }),
    modelCard: build.query<string, string>({
      query: (id) => ({ url: `models/${id}/card` }),
      transformResponse: (answer: { text: string }) => answer.text,
    }),
    shareModel: build.mutation<Model, { id: string } & Sharing>({
      query: ({ id, ...body }) => ({ url: `models/${id}/sharing`, method: 'PUT', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Model']),
    }),
    deleteModel: build.mutation<unknown, { id: string; onServer?: boolean }>({
      query: ({ id, onServer }) => ({ url: `models/${id}`, method: 'DELETE', params: onServer ? { on_server: true } : undefined }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Model', 'System', 'Ollama']),
    }),
  }),
})

export const {
  useModelsInfiniteQuery, useModelQuery, useModelCardQuery, useShareModelMutation, useDeleteModelMutation,
} = library
