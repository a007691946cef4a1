import { Button, Flex, Popconfirm, Skeleton, Tag } from 'antd'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { StatusTag } from '@/components/status-tag'
import { useTeamsQuery } from '@/lib/directory'
import { useDates } from '@/lib/hooks'
import type { Invite } from '@/types'

import { useInvitesInfiniteQuery, useRevokeInviteMutation } from './api'

export function InviteList() {
  const { t } = useTranslation()
  const list = useInvitesInfiniteQuery()
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <Flex vertical gap={12}>
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {list.isLoading && <Skeleton active aria-label={t('common.loading')} />}
      {list.data && items.length === 0 && <EmptyState title={t('invites.none')} hint={t('invites.noneHint')} />}
      {items.length > 0 && (
        <ul className="rows" aria-label={t('invites.title')}>
          {items.map((item) => <InviteRow key={item.id} invite={item} />)}
        </ul>
      )}
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
    </Flex>
  )
}

function InviteRow({ invite }: { invite: Invite }) {
  const { t } = useTranslation()
  const dates = useDates()
  const teams = useTeamsQuery(undefined, { skip: invite.teams.length === 0 })
  const [revoke, { isLoading }] = useRevokeInviteMutation()
  const name = invite.email ?? t('invites.anyone')
  return (
    <li className="row" aria-label={name}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            {name} <StatusTag status={invite.state} /> {invite.kind === 'reset' && <Tag>{t('invites.reset')}</Tag>}
          </div>
          <div className="facts">
            <span>{invite.role}</span>
            {invite.teams.length > 0 && <span>{invite.teams.map((id) => teams.data?.find((team) => team.id === id)?.name ?? id).join(', ')}</span>}
            <span title={dates.moment(invite.created_at)}>{dates.ago(invite.created_at)}</span>
            {invite.state === 'open' && <span title={dates.moment(invite.expires_at)}>{t('keys.expires', { when: dates.ago(invite.expires_at) })}</span>}
          </div>
        </div>
        {invite.state === 'open' && (
          <Popconfirm
            title={t('invites.revokeAsk')}
            okText={t('keys.revoke')}
            cancelText={t('actions.keep')}
            okButtonProps={{ danger: true }}
            onConfirm={() => void revoke(invite.id)}
          >
            <Button danger loading={isLoading} aria-label={t('invites.revokeName', { name })}>{t('keys.revoke')}</Button>
          </Popconfirm>
        )}
      </Flex>
    </li>
  )
}
