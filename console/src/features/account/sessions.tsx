import { Button, Flex, Popconfirm, Skeleton, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { SessionList } from '@/components/session-list'
import type { SessionInfo } from '@/types'

import { useEndOtherSignInsMutation, useEndSignInMutation, useSignInsQuery } from './api'

/** Where one is signed in; what one does not know can be ended here. */
export function Sessions() {
  const { t } = useTranslation()
  const { data, error, isError, refetch } = useSignInsQuery()
  const [endOthers, others] = useEndOtherSignInsMutation()
  return (
    <Flex vertical gap={12}>
      <Flex justify="space-between" align="center" gap={12} wrap>
        <Typography.Text type="secondary">{t('sessions.hint')}</Typography.Text>
        {(data?.length ?? 0) > 1 && (
          <Popconfirm
            title={t('sessions.endOthersAsk')}
            okText={t('sessions.endOthers')}
            cancelText={t('actions.keep')}
            okButtonProps={{ danger: true }}
            onConfirm={() => void endOthers()}
          >
            <Button danger loading={others.isLoading}>{t('sessions.endOthers')}</Button>
          </Popconfirm>
        )}
      </Flex>
      {isError && <ErrorNote error={error} retry={() => void refetch()} />}
      {!data && !isError && <Skeleton active aria-label={t('common.loading')} />}
      {data && <SessionList items={data} label={t('sessions.title')} actions={(session) => <End session={session} />} />}
    </Flex>
  )
}

function End({ session }: { session: SessionInfo }) {
  const { t } = useTranslation()
  const [end, { isLoading }] = useEndSignInMutation()
  if (session.current) return null
  return (
    <Button loading={isLoading} aria-label={t('sessions.endName', { device: session.device })} onClick={() => void end(session.id)}>
      {t('sessions.end')}
    </Button>
  )
}
