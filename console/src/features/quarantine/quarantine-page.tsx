import { Button, Flex, Select, Skeleton } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import type { Quarantined } from '@/types'

import { useQuarantineInfiniteQuery } from './api'
import { FileDrawer } from './file-drawer'
import { HeldTable } from './held-table'

const STATUSES = ['held', 'released', 'deleted'] as const

/** Files that no engine sees until somebody has decided; `?model=` narrows them to one model. */
export function QuarantinePage() {
  const { t } = useTranslation()
  const [params, setParams] = useSearchParams()
  const [status, setStatus] = useState<Quarantined['status'] | undefined>('held')
  const [opened, setOpened] = useState<Quarantined | null>(null)
  const model = params.get('model') ?? undefined
  const list = useQuarantineInfiniteQuery({ status, model_id: model }, { refetchOnMountOrArgChange: true })
  const items = list.currentData?.pages.flatMap((page) => page.items) ?? []
  return (
    <Page title={t('nav.quarantine')} hint={t('quarantine.hint')}>
      <Flex gap={8} wrap>
        <Select
          className="filter"
          aria-label={t('quarantine.decision')}
          placeholder={t('quarantine.decision')}
          allowClear
          value={status}
          onChange={(next?: Quarantined['status']) => setStatus(next)}
          options={STATUSES.map((name) => ({ value: name, label: t(`quarantine.status.${name}`) }))}
        />
        {model && <Button onClick={() => setParams({})}>{t('quarantine.allModels')}</Button>}
      </Flex>
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {!list.currentData && !list.isError && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {list.currentData && items.length === 0 && <EmptyState title={t('quarantine.none')} hint={t('quarantine.noneHint')} />}
      {items.length > 0 && <HeldTable items={items} onOpen={setOpened} />}
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      {opened && <FileDrawer file={opened} onClose={() => setOpened(null)} />}
    </Page>
  )
}
