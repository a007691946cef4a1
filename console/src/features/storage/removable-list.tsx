import { Table, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { paths } from '@/config/paths'
import { bytes } from '@/lib/format'
import type { Removable } from '@/types'

/** The largest first; a model is removed on its own page, parts with their download. */
export function RemovableList({ items }: { items: Removable[] }) {
  const { t } = useTranslation()
  return (
    <>
      <Typography.Paragraph type="secondary">{t('storage.removableHint')}</Typography.Paragraph>
      <Table<Removable>
        rowKey={({ kind, id }) => `${kind}-${id}`}
        size="small"
        pagination={false}
        scroll={{ x: 520 }}
        locale={{ emptyText: t('storage.nothing') }}
        dataSource={items}
        columns={[
          {
            title: t('storage.name'), dataIndex: 'name',
            render: (name: string, { kind, id }) => <Link to={kind === 'model' ? paths.model(id) : paths.downloads}>{name}</Link>,
          },
          { title: t('storage.what'), dataIndex: 'kind', render: (kind: string) => t(`storage.kind.${kind}`) },
          { title: t('storage.owner'), dataIndex: 'owner_name', render: (owner: string | null) => owner ?? '–' },
          { title: t('storage.frees'), dataIndex: 'bytes', align: 'right', render: (size: number) => bytes(size) },
        ]}
      />
    </>
  )
}
