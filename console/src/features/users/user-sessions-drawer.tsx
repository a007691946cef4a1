import { Button, Drawer, Popconfirm, Skeleton, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { SessionList } from '@/components/session-list'
import type { User } from '@/types'

import { useEndUserSessionsMutation, useUserSessionsQuery } from './api'

export function UserSessionsDrawer({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation()
  const { data, error, isError, refetch } = useUserSessionsQuery(user.id)
  const [end, { isLoading }] = useEndUserSessionsMutation()
  const name = user.name || user.email
  return (
    <Drawer
      open
      onClose={onClose}
      size="min(640px, 100vw)"
      title={t('sessions.of', { name })}
      extra={
        data && data.length > 0 && (
          <Popconfirm
            title={t('users.endSessionsAsk', { name })}
            okText={t('users.endSessions')}
            cancelText={t('actions.keep')}
            okButtonProps={{ danger: true }}
            onConfirm={() => void end(user.id)}
          >
            <Button danger loading={isLoading}>{t('users.endSessions')}</Button>
          </Popconfirm>
        )
      }
    >
      {isError && <ErrorNote error={error} retry={() => void refetch()} />}
      {!data && !isError && <Skeleton active aria-label={t('common.loading')} />}
      {data?.length === 0 && <Typography.Text type="secondary">{t('sessions.none')}</Typography.Text>}
      {data && data.length > 0 && <SessionList items={data} label={t('sessions.title')} />}
    </Drawer>
  )
}
