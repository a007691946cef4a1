import { api, keysetPages } from '@/lib/api'
import type { Job, Page } from '@/types'

const jobs = api.injectEndpoints({
  endpoints: (build) => ({
    jobs: build.infiniteQuery<Page<Job>, { state?: string }, string>({
      query: ({ queryArg, pageParam }) => ({ url: 'jobs', params: { ...queryArg, after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['Job'],
      keepUnusedDataFor: 0,
    }),
    changeJob: build.mutation<Job, { id: string; action: 'cancel' | 'retry' }>({
      query: ({ id, action }) => ({ url: `jobs/${id}/${action}`, method: 'POST' }),
      invalidatesTags: ['Job'],
    }),
  }),
})

export const { useJobsInfiniteQuery, useChangeJobMutation } = jobs
