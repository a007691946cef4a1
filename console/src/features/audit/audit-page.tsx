import { Skeleton } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import type { AuditEntry } from '@/types'

import { useAuditInfiniteQuery } from './api'
import { AuditTools } from './audit-tools'
import { EntryDrawer } from './entry-drawer'
import { EntryTable } from './entry-table'
import { FilterBar } from './filter-bar'
import { useAuditFilters } from './filters'

/** Who did what, on what, from where and with what result; newest first. */
export function AuditPage() {
  const { t } = useTranslation()
  const { filters, change, value } = useAuditFilters()
  const list = useAuditInfiniteQuery(filters, { refetchOnMountOrArgChange: true })
  const [opened, setOpened] = useState<AuditEntry | null>(null)
  const items = list.currentData?.pages.flatMap((page) => page.items) ?? []
  const narrow = (changes: Record<string, string | undefined>) => {
    setOpened(null)
    change(changes)
  }
  return (
    <Page title={t('nav.audit')} hint={t('audit.hint')}>
      <AuditTools filters={filters} onReload={() => void list.refetch()} />
      <FilterBar change={change} value={value} />
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {!list.currentData && !list.isError && <Skeleton active paragraph={{ rows: 8 }} aria-label={t('common.loading')} />}
      {list.currentData && items.length === 0 && <EmptyState title={t('audit.none')} hint={t('search.noneHint')} />}
      {items.length > 0 && <EntryTable items={items} onOpen={setOpened} />}
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      {opened && <EntryDrawer entry={opened} onNarrow={narrow} onClose={() => setOpened(null)} />}
    </Page>
  )
}
