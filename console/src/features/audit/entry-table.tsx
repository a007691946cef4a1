import { Button, Table } from 'antd'
import { useTranslation } from 'react-i18next'

import { StatusTag } from '@/components/status-tag'
import { useDates } from '@/lib/hooks'
import type { AuditEntry } from '@/types'

/** Who did it, also where nobody is named. */
export function useActor() {
  const { t } = useTranslation()
  return ({ actor_name: name, actor_kind: kind }: AuditEntry) => name || t(`audit.kinds.${kind}`)
}

export function EntryTable({ items, onOpen }: { items: AuditEntry[]; onOpen: (entry: AuditEntry) => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  const actorOf = useActor()
  return (
    <Table<AuditEntry>
      rowKey="seq"
      size="small"
      pagination={false}
      scroll={{ x: 940 }}
      dataSource={items}
      columns={[
        {
          title: t('audit.action'),
          dataIndex: 'action',
          render: (action: string, entry) => (
            <Button type="link" size="small" className="row-link" aria-label={t('audit.open', { n: entry.seq, action })} onClick={() => onOpen(entry)}>
              {action}
            </Button>
          ),
        },
        { title: t('audit.actor'), width: 170, render: (_value, entry) => <span className="breakable">{actorOf(entry)}</span> },
        { title: t('audit.object'), width: 250, render: (_value, { object_name: name, object_id: id }) => <span className="breakable">{name || id || '–'}</span> },
        { title: t('audit.result'), dataIndex: 'result', width: 100, render: (result: string) => <StatusTag status={result} /> },
        { title: t('audit.address'), dataIndex: 'address', width: 130, render: (address: string | null) => address ?? '–' },
        { title: t('audit.when'), dataIndex: 'at', width: 150, render: (at: string) => <span title={dates.moment(at)}>{dates.ago(at)}</span> },
      ]}
    />
  )
}
