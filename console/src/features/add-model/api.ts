import { api } from '@/lib/api'
import type { Download, FolderScan, Page, Upload, UploadRequest } from '@/types'

const adding = api.injectEndpoints({
  endpoints: (build) => ({
    /** Uploads nobody completed yet. */
    openUploads: build.query<Upload[], void>({
      query: () => ({ url: 'uploads', params: { status: 'open', limit: 100 } }),
      transformResponse: (page: Page<Upload>) => page.items,
      providesTags: ['Upload'],
      keepUnusedDataFor: 0,
    }),
    upload: build.query<Upload, string>({
      query: (id) => ({ url: `uploads/${id}` }),
      keepUnusedDataFor: 0,
    }),
    beginUpload: build.mutation<Upload, UploadRequest>({
      query: (body) => ({ url: 'uploads', method: 'POST', body }),
      invalidatesTags: ['Upload'],
    }),
    completeUpload: build.mutation<Download, string>({
      query: (id) => ({ url: `uploads/${id}/complete`, method: 'POST' }),
      invalidatesTags: ['Upload', 'Download'],
    }),
    cancelUpload: build.mutation<unknown, string>({
      query: (id) => ({ url: `uploads/${id}`, method: 'DELETE' }),
      invalidatesTags: ['Upload'],
    }),
    scanFolders: build.query<FolderScan, string>({
      query: (path) => ({ url: 'folders/scan', params: { path: path || undefined } }),
      providesTags: ['Model'],
      keepUnusedDataFor: 0,
    }),
  }),
})

export const {
  useOpenUploadsQuery, useLazyUploadQuery, useBeginUploadMutation, useCompleteUploadMutation, useCancelUploadMutation,
  useScanFoldersQuery,
} = adding
