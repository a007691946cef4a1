import { api } from '@/lib/api'
import type { TransferSettings, TransferSettingsNow } from '@/types'

const settings = api.injectEndpoints({
  endpoints: (build) => ({
    transferSettings: build.query<TransferSettingsNow, void>({
      query: () => ({ url: 'settings/transfers' }),
      providesTags: ['Setting'],
    }),
    setTransferSettings: build.mutation<TransferSettingsNow, TransferSettings>({
      query: (body) => ({ url: 'settings/transfers', method: 'PUT', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Setting', 'Download']),
    }),
  }),
})

export const { useTransferSettingsQuery, useSetTransferSettingsMutation } = settings
