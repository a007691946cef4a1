import { api } from '@/lib/api'
import type { Job, Model, OllamaCreate, OllamaShown, OllamaStatus, Page } from '@/types'

/** A model's name as a part of an address: its slashes stay, they are parts of the path. */
const at = (name: string) => `ollama/models/${name.split('/').map(encodeURIComponent).join('/')}`

const ollama = api.injectEndpoints({
  endpoints: (build) => ({
    ollama: build.query<OllamaStatus, void>({
      query: () => ({ url: 'ollama' }),
      providesTags: ['Ollama', 'Model'],
      keepUnusedDataFor: 0,
    }),
    ollamaModel: build.query<OllamaShown, string>({
      query: (name) => ({ url: at(name) }),
      providesTags: ['Ollama'],
    }),
    copyOllamaModel: build.mutation<unknown, { name: string; to: string }>({
      query: ({ name, to }) => ({ url: `${at(name)}/copy`, method: 'POST', body: { to } }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Ollama']),
    }),
    deleteOllamaModel: build.mutation<unknown, string>({
      query: (name) => ({ url: at(name), method: 'DELETE' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Ollama', 'Model']),
    }),
    createOllamaModel: build.mutation<Job, OllamaCreate>({
      query: (body) => ({ url: 'ollama/models', method: 'POST', body }),
      invalidatesTags: ['Job'],
    }),
    ollamaJob: build.query<Job, string>({
      query: (id) => ({ url: `jobs/${id}` }),
      keepUnusedDataFor: 0,
    }),
    cancelOllamaJob: build.mutation<Job, string>({
      query: (id) => ({ url: `jobs/${id}/cancel`, method: 'POST' }),
      invalidatesTags: ['Job'],
    }),
    /** What could be made a model there: the library, by part of a name. */
    ollamaMaterial: build.query<Model[], string>({
      query: (q) => ({ url: 'models', params: { limit: 50, q: q || undefined } }),
      transformResponse: (page: Page<Model>) => page.items.filter(({ location }) => location !== 'ollama'),
      providesTags: ['Model'],
    }),
  }),
})

export const {
  useOllamaQuery, useOllamaModelQuery, useCopyOllamaModelMutation, useDeleteOllamaModelMutation, useCreateOllamaModelMutation,
  useOllamaJobQuery, useCancelOllamaJobMutation, useOllamaMaterialQuery,
} = ollama
