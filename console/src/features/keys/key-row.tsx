import { Button, Flex, Popconfirm, Tag, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'

import { usePermissionText } from '@/components/permission-text'
import { StatusTag } from '@/components/status-tag'
import { useAuth, useDates } from '@/lib/hooks'
import type { ApiKey, Deployment } from '@/types'

import { useRevokeKeyMutation } from './api'

export function KeyRow({ item, deployments }: { item: ApiKey; deployments: Deployment[] }) {
  const { t } = useTranslation()
  const dates = useDates()
  const { user } = useAuth()
  const textOf = usePermissionText()
  const { name, state, scopes, last_used_at: used, expires_at: ends } = item
  const nameOf = (id: string) => deployments.find((deployment) => deployment.id === id)?.name ?? id
  return (
    <li className="row" aria-label={name}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            {name} <StatusTag status={state} /> {item.user_id !== user?.id && <Tag>{t('keys.foreign')}</Tag>}
          </div>
          <div className="facts">
            <code>{item.prefix}…</code>
            <Tooltip title={scopes.map((scope) => textOf(scope)).join(' · ')}>
              <span tabIndex={0}>{t('keys.scopesCount', { count: scopes.length })}</span>
            </Tooltip>
            <span>{item.deployments ? item.deployments.map(nameOf).join(', ') || t('keys.noDeployments') : t('keys.allDeployments')}</span>
            {item.requests_per_minute !== null && <span>{t('keys.rate', { n: item.requests_per_minute })}</span>}
            {state !== 'revoked' && (
              <span title={dates.moment(ends)}>{ends ? t('keys.expires', { when: dates.ago(ends) }) : t('keys.noExpiry')}</span>
            )}
            <span title={dates.moment(used)}>
              {used ? t('keys.used', { when: dates.ago(used), where: item.last_used_from ?? '–' }) : t('keys.unused')}
            </span>
          </div>
        </div>
        {state !== 'revoked' && <Revoke item={item} />}
      </Flex>
    </li>
  )
}

function Revoke({ item }: { item: ApiKey }) {
  const { t } = useTranslation()
  const [revoke, { isLoading }] = useRevokeKeyMutation()
  return (
    <Popconfirm
      title={t('keys.revokeAsk', { name: item.name })}
      description={t('keys.revokeHint')}
      okText={t('keys.revoke')}
      cancelText={t('actions.keep')}
      okButtonProps={{ danger: true }}
      onConfirm={() => void revoke(item.id)}
    >
      <Button danger loading={isLoading} aria-label={t('keys.revokeName', { name: item.name })}>{t('keys.revoke')}</Button>
    </Popconfirm>
  )
}
