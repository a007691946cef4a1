import { PlusOutlined } from '@ant-design/icons'
import { Button, Flex, Skeleton, Switch, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { useMay } from '@/lib/hooks'
import type { Deployment } from '@/types'

import { useApiKeysInfiniteQuery } from './api'
import { KeyRow } from './key-row'
import { MakeKeyDialog } from './make-key-dialog'

/** Keys for programs: one's own, and everybody's for who manages users. */
export function KeysPanel({ deployments }: { deployments: Deployment[] }) {
  const { t } = useTranslation()
  const mayManage = useMay('users.manage')
  const [all, setAll] = useState(false)
  const [making, setMaking] = useState(false)
  const list = useApiKeysInfiniteQuery({ all })
  const items = list.currentData?.pages.flatMap((page) => page.items) ?? []
  const make = <Button type="primary" icon={<PlusOutlined />} onClick={() => setMaking(true)}>{t('keys.make')}</Button>
  return (
    <Flex vertical gap={12}>
      <Flex justify="space-between" align="center" gap={12} wrap>
        <Typography.Text type="secondary">{t('keys.hint')}</Typography.Text>
        <Flex gap={16} align="center" wrap>
          {mayManage && (
            <label className="inline-label">
              <Switch size="small" checked={all} onChange={setAll} aria-label={t('keys.all')} /> {t('keys.all')}
            </label>
          )}
          {items.length > 0 && make}
        </Flex>
      </Flex>
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {!list.currentData && !list.isError && <Skeleton active aria-label={t('common.loading')} />}
      {list.currentData && items.length === 0 && <EmptyState title={t('keys.none')} hint={t('keys.noneHint')}>{make}</EmptyState>}
      {items.length > 0 && (
        <ul className="rows" aria-label={t('keys.title')}>
          {items.map((item) => <KeyRow key={item.id} item={item} deployments={deployments} />)}
        </ul>
      )}
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      {making && <MakeKeyDialog deployments={deployments} onClose={() => setMaking(false)} />}
    </Flex>
  )
}
