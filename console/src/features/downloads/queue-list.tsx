import { Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'

import { useDownloadQueueQuery } from './api'
import { DownloadRow } from './download-row'
import { MoveButtons } from './move-buttons'

/** What has not ended, in the order in which it runs: what runs now, the queue, what is paused. */
export function QueueList() {
  const { t } = useTranslation()
  const { data, isLoading, isError, error, refetch } = useDownloadQueueQuery(undefined, {
    pollingInterval: 3000, skipPollingIfUnfocused: true,
  })
  const items = data?.items ?? []
  if (isError) return <ErrorNote error={error} retry={() => void refetch()} />
  if (isLoading) return <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />
  if (items.length === 0) return <EmptyState title={t('queue.none')} hint={t('queue.noneHint')} />
  return (
    <ol className="rows" aria-label={t('queue.title')}>
      {items.map((item) => (
        <DownloadRow key={item.id} download={item} actions={<MoveButtons download={item} queue={items} />} />
      ))}
    </ol>
  )
}
