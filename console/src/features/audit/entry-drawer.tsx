import { FilterOutlined } from '@ant-design/icons'
import { Button, Descriptions, Drawer, Flex, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { StatusTag } from '@/components/status-tag'
import { useDates } from '@/lib/hooks'
import type { AuditEntry } from '@/types'

import { useActor } from './entry-table'

interface Props {
  entry: AuditEntry
  /** Show only what has this value too. */
  onNarrow: (changes: Record<string, string | undefined>) => void
  onClose: () => void
}

export function EntryDrawer({ entry, onNarrow, onClose }: Props) {
  const { t } = useTranslation()
  const dates = useDates()
  const actorOf = useActor()
  const more = (name: string, value: string | null, shown: ReactNode = value) =>
    value && (
      <Flex align="center" gap={4}>
        <span className="breakable">{shown}</span>
        <Button
          type="text"
          size="small"
          icon={<FilterOutlined />}
          title={t('audit.narrow')}
          aria-label={t('audit.narrowName', { value })}
          onClick={() => onNarrow({ [name]: value })}
        />
      </Flex>
    )
  const object = [entry.object_type, entry.object_name].filter(Boolean).join(' · ')
  const facts: [string, ReactNode][] = [
    ['when', <span key="when">{dates.moment(entry.at)} <code>{entry.at}</code></span>],
    ['actor', entry.actor_id ? more('actor', entry.actor_id, actorOf(entry)) : actorOf(entry)],
    ['by', t(`audit.kinds.${entry.actor_kind}`)],
    ['key', entry.key_id && <code>{entry.key_id}</code>],
    ['action', more('action', entry.action)],
    ['object', object],
    ['object_id', more('object_id', entry.object_id)],
    ['result', <StatusTag key="result" status={entry.result} />],
    ['address', more('address', entry.address)],
    ['device', entry.user_agent],
    ['request_id', more('request_id', entry.request_id)],
    ['hash', <code key="hash" className="breakable">{entry.hash}</code>],
  ]
  return (
    <Drawer open onClose={onClose} size="min(640px, 100vw)" title={t('audit.entry', { n: entry.seq })}>
      <Descriptions
        bordered
        size="small"
        column={1}
        items={facts.filter(([, value]) => value).map(([key, children]) => ({ key, label: t(`audit.${key}`), children }))}
      />
      {Object.keys(entry.details).length > 0 && (
        <>
          <Typography.Title level={5}>{t('audit.details')}</Typography.Title>
          <div className="code-block"><pre tabIndex={0}>{JSON.stringify(entry.details, null, 2)}</pre></div>
        </>
      )}
    </Drawer>
  )
}
