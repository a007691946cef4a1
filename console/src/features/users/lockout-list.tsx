import { Button, Flex, Skeleton, Tag } from 'antd'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { StatusTag } from '@/components/status-tag'
import { useDates } from '@/lib/hooks'
import type { Lockout } from '@/types'

import { useLiftLockoutMutation, useLockoutsQuery } from './api'

/** Accounts and addresses with failed sign-ins; a lock ends by itself, or here. */
export function LockoutList() {
  const { t } = useTranslation()
  const { data, error, isError, refetch } = useLockoutsQuery(undefined, { pollingInterval: 10_000, skipPollingIfUnfocused: true })
  return (
    <Flex vertical gap={12}>
      {isError && <ErrorNote error={error} retry={() => void refetch()} />}
      {!data && !isError && <Skeleton active aria-label={t('common.loading')} />}
      {data?.length === 0 && <EmptyState title={t('lockouts.none')} hint={t('lockouts.noneHint')} />}
      {data && data.length > 0 && (
        <ul className="rows" aria-label={t('lockouts.title')}>
          {data.map((lockout) => <LockoutRow key={lockout.id} lockout={lockout} />)}
        </ul>
      )}
    </Flex>
  )
}

function LockoutRow({ lockout }: { lockout: Lockout }) {
  const { t } = useTranslation()
  const dates = useDates()
  const [lift, { isLoading }] = useLiftLockoutMutation()
  const { id, kind, value, failures, locked } = lockout
  return (
    <li className="row" aria-label={value}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            {value} <Tag>{t(`lockouts.${kind}`)}</Tag> {locked && <StatusTag status="locked" />}
          </div>
          <div className="facts">
            <span>{t('lockouts.failures', { count: failures })}</span>
            <span title={dates.moment(lockout.last_failed_at)}>{t('lockouts.last', { when: dates.ago(lockout.last_failed_at) })}</span>
            {locked && <span>{t('lockouts.until', { when: dates.moment(lockout.locked_until) })}</span>}
          </div>
        </div>
        <Button loading={isLoading} aria-label={t('lockouts.liftName', { name: value })} onClick={() => void lift(id)}>
          {locked ? t('lockouts.lift') : t('lockouts.forget')}
        </Button>
      </Flex>
    </li>
  )
}
