import { Card, Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { Page } from '@/components/page'
import { useMay } from '@/lib/hooks'

import { useStorageQuery } from './api'
import { CareCard } from './care-card'
import { Disks } from './disks'
import { HeldList } from './held-list'
import { RemovableList } from './removable-list'

/** Where the bytes are, what waits for room, and what could go. */
export function StoragePage() {
  const { t } = useTranslation()
  const mayManage = useMay('settings.manage')
  const { data, isLoading, isError, error, refetch } = useStorageQuery(undefined, { pollingInterval: 10_000, skipPollingIfUnfocused: true })
  return (
    <Page title={t('nav.storage')} hint={t('storage.hint')}>
      {isError && <ErrorNote error={error} retry={() => void refetch()} />}
      {isLoading && <Skeleton active paragraph={{ rows: 8 }} aria-label={t('common.loading')} />}
      {data && (
        <>
          <Card title={t('storage.disks')}><Disks storage={data} /></Card>
          {data.held.length > 0 && <Card title={t('storage.held')}><HeldList held={data.held} /></Card>}
          {mayManage && <CareCard />}
          <Card title={t('storage.removable')}><RemovableList items={data.removable} /></Card>
        </>
      )}
    </Page>
  )
}
