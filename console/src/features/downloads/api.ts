import { api, keysetPages } from '@/lib/api'
import { followAll, Ledger, patchPages } from '@/lib/live'
import type { HubEvent } from '@/lib/socket'
import type { Download, DownloadChange, DownloadMove, DownloadRequest, Page } from '@/types'

export type DownloadAction = 'pause' | 'resume' | 'cancel' | 'retry'

const ledger = new Ledger<Download>()

const downloads = api.injectEndpoints({
  endpoints: (build) => ({
    downloads: build.infiniteQuery<Page<Download>, void, string>({
      query: ({ pageParam }) => ({ url: 'downloads', params: { after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      transformResponse: (page: Page<Download>) => ledger.freshen(page),
      providesTags: ['Download'],
      onCacheEntryAdded: async (_arg, { dispatch, cacheDataLoaded, cacheEntryRemoved }) => {
        await cacheDataLoaded.catch(() => undefined)
        const leave = followAll({
          namespace: '/downloads',
          ledger,
          onChange: (event) => dispatch(applied(event)),
          onReturn: () => dispatch(api.util.invalidateTags(['Download'])),
        })
        await cacheEntryRemoved
        leave()
        ledger.forget()
      },
    }),
    downloadQueue: build.query<Page<Download>, void>({
      query: () => ({ url: 'downloads', params: { sort: 'queue', limit: 200 } }),
      providesTags: ['Download'],
    }),
    startDownload: build.mutation<Download, DownloadRequest>({
      query: (body) => ({ url: 'downloads', method: 'POST', body }),
      onQueryStarted: (_arg, { dispatch, queryFulfilled }) => queryFulfilled.then(({ data }) => void dispatch(told(data)), () => undefined),
    }),
    changeDownload: build.mutation<Download, { id: string; action: DownloadAction }>({
      query: ({ id, action }) => ({ url: `downloads/${id}/${action}`, method: 'POST' }),
      onQueryStarted: (_arg, { dispatch, queryFulfilled }) => queryFulfilled.then(({ data }) => void dispatch(told(data)), () => undefined),
    }),
    setDownload: build.mutation<Download, { id: string; body: DownloadChange }>({
      query: ({ id, body }) => ({ url: `downloads/${id}`, method: 'PATCH', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Download']),
    }),
    moveDownload: build.mutation<Download, { id: string; body: DownloadMove }>({
      query: ({ id, body }) => ({ url: `downloads/${id}/move`, method: 'POST', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Download']),
    }),
    removeDownload: build.mutation<unknown, string>({
      query: (id) => ({ url: `downloads/${id}`, method: 'DELETE' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Download']),
    }),
  }),
})

type Dispatch = (action: unknown) => unknown

/** Patch the cached list by one change; a model that came home also renews the library. */
const applied = (event: HubEvent<Download>) => (dispatch: Dispatch) => {
  dispatch(downloads.util.updateQueryData('downloads', undefined, (draft) => patchPages(draft, event)))
  if (event.type !== 'deleted' && event.data.status === 'completed') dispatch(api.util.invalidateTags(['Model']))
}

/** What the hub answered to an action is news like any other. */
const told = (data: Download) => (dispatch: Dispatch) => {
  const event = { id: data.id, seq: data.version, type: 'updated', data }
  if (ledger.accept(event)) dispatch(applied(event))
}

export const {
  useDownloadsInfiniteQuery, useStartDownloadMutation, useChangeDownloadMutation, useRemoveDownloadMutation,
  useDownloadQueueQuery, useSetDownloadMutation, useMoveDownloadMutation,
} = downloads
