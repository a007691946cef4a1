import { Button, Skeleton } from 'antd'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import type { DownloadRequest } from '@/types'

import { useSearchInfiniteQuery, useSourcesQuery } from './api'
import { NO_FILTERS, useFilters } from './filters'
import { FoundList } from './found-list'
import { ModelDrawer } from './model-drawer'
import { SearchForm } from './search-form'

interface Props {
  /** Starts a download; resolves when the hub has accepted it. */
  onDownload: (request: DownloadRequest) => Promise<unknown>
}

export function SearchPage({ onDownload }: Props) {
  const { t } = useTranslation()
  const { filters, change, opened } = useFilters()
  const sources = useSourcesQuery()
  const found = useSearchInfiniteQuery(filters)
  const items = found.currentData?.pages.flatMap((page) => page.items) ?? []
  const source = sources.data?.find(({ name }) => name === filters.source)

  return (
    <Page title={t('search.title')} hint={source?.description ?? t('search.hint')}>
      <SearchForm key={filters.source + (filters.q ?? '')} filters={filters} sources={sources.data ?? []} onChange={change} />
      {found.isError && !found.isFetching && <ErrorNote error={found.error} retry={() => void found.refetch()} />}
      {found.isFetching && !found.currentData && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {found.currentData && items.length === 0 && (
        <EmptyState title={t('search.none')} hint={t('search.noneHint')}>
          <Button onClick={() => change(NO_FILTERS)}>{t('search.clear')}</Button>
        </EmptyState>
      )}
      {items.length > 0 && <FoundList items={items} onOpen={(ref) => change({ model: ref })} />}
      <LoadMore more={found.hasNextPage} loading={found.isFetchingNextPage} onMore={() => void found.fetchNextPage()} />
      {opened && (
        <ModelDrawer
          key={`${filters.source}/${opened}`}
          source={filters.source}
          modelRef={opened}
          onClose={() => change({ model: '' })}
          onDownload={onDownload}
        />
      )}
    </Page>
  )
}
