import { SearchOutlined } from '@ant-design/icons'
import { Segmented, Skeleton } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LinkButton } from '@/components/link-button'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import { paths } from '@/config/paths'

import { useDownloadsInfiniteQuery } from './api'
import { DownloadRow } from './download-row'
import { QueueList } from './queue-list'

export function DownloadsPage() {
  const { t } = useTranslation()
  const [view, setView] = useState<'newest' | 'queue'>('newest')
  const list = useDownloadsInfiniteQuery()
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const search = (
    <LinkButton to={paths.search} type={items.length === 0 ? 'primary' : 'default'} icon={<SearchOutlined />}>
      {t('downloads.find')}
    </LinkButton>
  )
  return (
    <Page title={t('nav.downloads')} hint={t('downloads.hint')} actions={items.length > 0 && search}>
      {items.length > 0 && (
        <Segmented
          aria-label={t('queue.view')}
          value={view}
          onChange={setView}
          options={[{ value: 'newest', label: t('queue.newest') }, { value: 'queue', label: t('queue.title') }]}
        />
      )}
      {view === 'queue' && <QueueList />}
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {list.isLoading && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {list.data && items.length === 0 && (
        <EmptyState title={t('downloads.none')} hint={t('downloads.noneHint')}>{search}</EmptyState>
      )}
      {view === 'newest' && items.length > 0 && (
        <ul className="rows" aria-label={t('nav.downloads')}>
          {items.map((item) => <DownloadRow key={item.id} download={item} />)}
        </ul>
      )}
      <LoadMore more={view === 'newest' && list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
    </Page>
  )
}
