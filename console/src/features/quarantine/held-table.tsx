import { Button, Table, Tag } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { paths } from '@/config/paths'
import { bytes } from '@/lib/format'
import { useDates } from '@/lib/hooks'
import type { Quarantined } from '@/types'

import { bySeverity, SeverityTag } from './severity'

export function HeldTable({ items, onOpen }: { items: Quarantined[]; onOpen: (file: Quarantined) => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  return (
    <Table<Quarantined>
      rowKey="id"
      size="small"
      pagination={false}
      scroll={{ x: 820 }}
      dataSource={items}
      columns={[
        {
          title: t('quarantine.file'),
          dataIndex: 'path',
          render: (path: string, file) => (
            <Button type="link" size="small" className="row-link" aria-label={t('quarantine.open', { path })} onClick={() => onOpen(file)}>
              <span className="breakable">{path}</span>
            </Button>
          ),
        },
        { title: t('quarantine.model'), width: 200, render: (_value, { model_id, model_name }) => <Link to={paths.model(model_id)} className="breakable">{model_name}</Link> },
        { title: t('quarantine.size'), dataIndex: 'size', width: 100, align: 'right', render: (size: number) => bytes(size) },
        { title: t('quarantine.worst'), width: 130, render: (_value, { findings }) => <SeverityTag severity={bySeverity(findings)[0]?.severity ?? 'unknown'} /> },
        { title: t('quarantine.decision'), dataIndex: 'status', width: 120, render: (status: string) => <Tag>{t(`quarantine.status.${status}`)}</Tag> },
        { title: t('quarantine.since'), dataIndex: 'created_at', width: 130, render: (at: string) => <span title={dates.moment(at)}>{dates.ago(at)}</span> },
      ]}
    />
  )
}
