import { Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { Page } from '@/components/page'

import { useTransferSettingsQuery } from './api'
import { TransfersCard } from './transfers-card'

/** What is set while the hub runs; one card for each matter. */
export function SettingsPage() {
  const { t } = useTranslation()
  const transfers = useTransferSettingsQuery()
  return (
    <Page title={t('nav.settings')} hint={t('settings.hint')}>
      {transfers.isError && <ErrorNote error={transfers.error} retry={() => void transfers.refetch()} />}
      {transfers.isLoading && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {transfers.data && <TransfersCard settings={transfers.data} />}
    </Page>
  )
}
