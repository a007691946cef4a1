import { Button, Card, Flex, Popconfirm, Table, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { ErrorNote } from '@/components/error-note'
import { paths } from '@/config/paths'
import { bytes } from '@/lib/format'
import type { GarbageItem } from '@/types'

import { useGarbageQuery, useReclaimMutation, useVerifyMutation } from './api'

/** Are the bytes right, and which of them belong to nobody. For who may change the hub's settings. */
export function CareCard() {
  const { t } = useTranslation()
  const { data, error } = useGarbageQuery()
  const [reclaim, reclaiming] = useReclaimMutation()
  const [verify, verifying] = useVerifyMutation()
  const problem = error ?? reclaiming.error ?? verifying.error
  return (
    <Card title={t('storage.care')}>
      {problem && <ErrorNote error={problem} />}
      <Typography.Paragraph type="secondary">{t('storage.careHint')}</Typography.Paragraph>
      <Flex gap="small" wrap align="center">
        <Button onClick={() => void verify(null)} loading={verifying.isLoading}>{t('storage.verify')}</Button>
        {verifying.isSuccess && <Link to={paths.jobs}>{t('storage.verifying')}</Link>}
        <Popconfirm
          title={t('storage.reclaimAsk', { count: data?.count ?? 0, size: bytes(data?.bytes ?? 0) })}
          onConfirm={() => void reclaim()}
          disabled={!data?.count}
        >
          <Button danger disabled={!data?.count} loading={reclaiming.isLoading}>{t('storage.reclaim')}</Button>
        </Popconfirm>
        {reclaiming.data && <Typography.Text type="success">{t('storage.freed', { size: bytes(reclaiming.data.bytes) })}</Typography.Text>}
      </Flex>
      <Table<GarbageItem>
        rowKey="path"
        size="small"
        pagination={{ pageSize: 10, hideOnSinglePage: true }}
        scroll={{ x: 520 }}
        locale={{ emptyText: t('storage.noGarbage') }}
        dataSource={data?.items ?? []}
        columns={[
          { title: t('storage.what'), dataIndex: 'kind', render: (kind: string) => t(`storage.garbage.${kind}`, kind) },
          { title: t('storage.path'), dataIndex: 'path' },
          { title: t('storage.frees'), dataIndex: 'bytes', align: 'right', render: (size: number) => bytes(size) },
        ]}
      />
    </Card>
  )
}
