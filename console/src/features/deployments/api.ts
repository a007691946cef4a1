import { api, keysetPages } from '@/lib/api'
import { followAll, Ledger, patchPages } from '@/lib/live'
import type { HubEvent } from '@/lib/socket'
import type { Deployment, DeploymentRequest, LogPage, Page, Runtime, Sharing } from '@/types'

export type DeploymentAction = 'start' | 'stop' | 'restart'

const ledger = new Ledger<Deployment>()

const deployments = api.injectEndpoints({
  endpoints: (build) => ({
    deployments: build.infiniteQuery<Page<Deployment>, void, string>({
      query: ({ pageParam }) => ({ url: 'deployments', params: { after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      transformResponse: (page: Page<Deployment>) => ledger.freshen(page),
      providesTags: ['Deployment'],
      onCacheEntryAdded: async (_arg, { dispatch, cacheDataLoaded, cacheEntryRemoved }) => {
        await cacheDataLoaded.catch(() => undefined)
        const leave = followAll({
          namespace: '/deployments',
          ledger,
          onChange: (event) => dispatch(applied(event)),
          onReturn: () => dispatch(api.util.invalidateTags(['Deployment'])),
        })
        await cacheEntryRemoved
        leave()
        ledger.forget()
      },
    }),
    runtimes: build.query<Runtime[], void>({
      query: () => ({ url: 'runtimes' }),
      transformResponse: (answer: { items: Runtime[] }) => answer.items,
    }),
    createDeployment: build.mutation<Deployment, DeploymentRequest>({
      query: (body) => ({ url: 'deployments', method: 'POST', body }),
      onQueryStarted: (_arg, { dispatch, queryFulfilled }) => queryFulfilled.then(({ data }) => void dispatch(told(data)), () => undefined),
    }),
    changeDeployment: build.mutation<Deployment, { id: string; action: DeploymentAction }>({
      query: ({ id, action }) => ({ url: `deployments/${id}/${action}`, method: 'POST' }),
      onQueryStarted: (_arg, { dispatch, queryFulfilled }) => queryFulfilled.then(({ data }) => void dispatch(told(data)), () => undefined),
    }),
    shareDeployment: build.mutation<Deployment, { id: string } & Sharing>({
      query: ({ id, ...body }) => ({ url: `deployments/${id}/sharing`, method: 'PUT', body }),
      onQueryStarted: (_arg, { dispatch, queryFulfilled }) => queryFulfilled.then(({ data }) => void dispatch(told(data)), () => undefined),
    }),
    deleteDeployment: build.mutation<unknown, string>({
      query: (id) => ({ url: `deployments/${id}`, method: 'DELETE' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Deployment']),
    }),
    deploymentLogs: build.query<LogPage, { id: string; after: number }>({
      query: ({ id, after }) => ({ url: `deployments/${id}/logs`, params: { after } }),
      keepUnusedDataFor: 0,
    }),
  }),
})

type Dispatch = (action: unknown) => unknown

const applied = (event: HubEvent<Deployment>) => (dispatch: Dispatch) =>
  dispatch(deployments.util.updateQueryData('deployments', undefined, (draft) => patchPages(draft, event)))

const told = (data: Deployment) => (dispatch: Dispatch) => {
  const event = { id: data.id, seq: data.version, type: 'updated', data }
  if (ledger.accept(event)) dispatch(applied(event))
}

export const {
  useDeploymentsInfiniteQuery, useRuntimesQuery, useCreateDeploymentMutation, useChangeDeploymentMutation,
  useShareDeploymentMutation, useDeleteDeploymentMutation, useLazyDeploymentLogsQuery,
} = deployments
