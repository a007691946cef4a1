import { DesktopOutlined, MobileOutlined } from '@ant-design/icons'
import { Flex, Tag } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { useDates } from '@/lib/hooks'
import type { SessionInfo } from '@/types'

interface Props {
  items: SessionInfo[]
  label: string
  actions?: (session: SessionInfo) => ReactNode
}

/** Where somebody is signed in. */
export function SessionList({ items, label, actions }: Props) {
  const { t } = useTranslation()
  const dates = useDates()
  return (
    <ul className="rows" aria-label={label}>
      {items.map((session) => (
        <li key={session.id} className="row" aria-label={session.device}>
          <Flex justify="space-between" gap={12} wrap align="center">
            <div className="row-main">
              <div className="row-title">
                {/Android|iPhone|iPad|Mobile/i.test(session.device) ? <MobileOutlined /> : <DesktopOutlined />}
                {session.device}
                {session.current && <Tag color="success" className="status">{t('sessions.current')}</Tag>}
              </div>
              <div className="facts">
                {session.address && <span>{session.address}</span>}
                <span>{t(`sessions.method.${session.method}`, { defaultValue: session.method })}</span>
                <span title={dates.moment(session.last_seen_at)}>{t('sessions.seen', { when: dates.ago(session.last_seen_at) })}</span>
                <span title={dates.moment(session.created_at)}>{t('sessions.since', { when: dates.ago(session.created_at) })}</span>
              </div>
            </div>
            {actions?.(session)}
          </Flex>
        </li>
      ))}
    </ul>
  )
}
