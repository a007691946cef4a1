import { api, keysetPages } from '@/lib/api'
import type { Download, Job, Model, ModelImpact, ModelPatch, ModelVersion, Page, Sharing, VersionDiff } from '@/types'

import type { ModelFilters } from './filters'

const changed = (_answer: unknown, error: unknown) => (error ? [] : (['Model', 'Storage'] as const))

const library = api.injectEndpoints({
  endpoints: (build) => ({
    models: build.infiniteQuery<Page<Model>, ModelFilters, string>({
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
    modelImpact: build.query<ModelImpact, string>({
      query: (id) => ({ url: `models/${id}/impact` }),
      providesTags: ['Model', 'Deployment', 'Download'],
      keepUnusedDataFor: 0,
    }),
    modelVersions: build.infiniteQuery<Page<ModelVersion>, string, string>({
      query: ({ queryArg, pageParam }) => ({ url: `models/${queryArg}/versions`, params: { after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['Model', 'Deployment'],
    }),
    versionDiff: build.query<VersionDiff, { id: string; a: string; b: string }>({
      query: ({ id, a, b }) => ({ url: `models/${id}/versions/compare`, params: { a, b } }),
    }),
    activateVersion: build.mutation<Model, { id: string; version: string }>({
      query: ({ id, version }) => ({ url: `models/${id}/versions/${version}/activate`, method: 'POST' }),
      invalidatesTags: changed,
    }),
    deleteVersion: build.mutation<unknown, { id: string; version: string }>({
      query: ({ id, version }) => ({ url: `models/${id}/versions/${version}`, method: 'DELETE' }),
      invalidatesTags: changed,
    }),
    editModel: build.mutation<Model, { id: string } & ModelPatch>({
      query: ({ id, ...body }) => ({ url: `models/${id}`, method: 'PATCH', body }),
      invalidatesTags: changed,
    }),
    checkModel: build.mutation<Model, string>({
      query: (id) => ({ url: `models/${id}/check`, method: 'POST' }),
      invalidatesTags: changed,
    }),
    updateModel: build.mutation<Download, string>({
      query: (id) => ({ url: `models/${id}/update`, method: 'POST' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Model', 'Download']),
    }),
    offloadModel: build.mutation<Model, string>({
      query: (id) => ({ url: `models/${id}/offload`, method: 'POST' }),
      invalidatesTags: changed,
    }),
    restoreModel: build.mutation<Job, string>({
      query: (id) => ({ url: `models/${id}/restore`, method: 'POST' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Model', 'Job']),
    }),
    shareModel: build.mutation<Model, { id: string } & Sharing>({
      query: ({ id, ...body }) => ({ url: `models/${id}/sharing`, method: 'PUT', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Model']),
    }),
    deleteModel: build.mutation<unknown, { id: string; onServer?: boolean }>({
      query: ({ id, onServer }) => ({ url: `models/${id}`, method: 'DELETE', params: onServer ? { on_server: true } : undefined }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Model', 'System', 'Storage', 'Ollama']),
    }),
  }),
})

export const {
  useModelsInfiniteQuery, useModelQuery, useModelCardQuery, useModelImpactQuery, useModelVersionsInfiniteQuery, useVersionDiffQuery,
  useActivateVersionMutation, useDeleteVersionMutation, useEditModelMutation, useCheckModelMutation, useUpdateModelMutation,
  useOffloadModelMutation, useRestoreModelMutation, useShareModelMutation, useDeleteModelMutation,
} = library
