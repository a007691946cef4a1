import { DeleteOutlined, EditOutlined, MoreOutlined, PlusOutlined } from '@ant-design/icons'
import { App, Button, Dropdown, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'

import { ErrorNote } from '@/components/error-note'
import { LinkButton } from '@/components/link-button'
import { LoadMore } from '@/components/load-more'
import { paths } from '@/config/paths'
import { useDates } from '@/lib/hooks'
import type { Session } from '@/types'

import { useDeleteSessionMutation, useSessionsInfiniteQuery } from './api'
import { RenameDialog } from './rename-dialog'

export function SessionList({ openId }: { openId?: string }) {
  const { t } = useTranslation()
  const list = useSessionsInfiniteQuery()
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <nav className="chat-side" aria-label={t('chat.sessions')}>
      <LinkButton to={paths.chat} block icon={<PlusOutlined />}>{t('chat.new')}</LinkButton>
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {list.isLoading && <Skeleton active />}
      {list.data && items.length === 0 && <Typography.Text type="secondary" className="chat-none">{t('chat.none')}</Typography.Text>}
      <ul className="chat-sessions">
        {items.map((session) => <SessionItem key={session.id} session={session} open={session.id === openId} />)}
      </ul>
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
    </nav>
  )
}

function SessionItem({ session, open }: { session: Session; open: boolean }) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const dates = useDates()
  const navigate = useNavigate()
  const [renaming, setRenaming] = useState(false)
  const [remove] = useDeleteSessionMutation()

  const askRemove = () =>
    modal.confirm({
      title: t('chat.deleteAsk'),
      content: t('chat.deleteHint'),
      okText: t('chat.delete'),
      okButtonProps: { danger: true },
      onOk: async () => {
        const answer = await remove(session.id)
        if (!answer.error && open) void navigate(paths.chat)
      },
    })

  return (
    <li className={open ? 'chat-session open' : 'chat-session'}>
      <Link to={paths.session(session.id)} aria-current={open ? 'page' : undefined}>
        <span className="chat-session-title">{session.title}</span>
        <span className="row-sub">{session.deployment_name} · {dates.ago(session.updated_at)}</span>
      </Link>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'rename', icon: <EditOutlined />, label: t('chat.rename'), onClick: () => setRenaming(true) },
            { key: 'delete', icon: <DeleteOutlined />, label: t('chat.delete'), danger: true, onClick: askRemove },
          ],
        }}
      >
        <Button type="text" size="small" icon={<MoreOutlined />} aria-label={t('chat.more', { title: session.title })} />
      </Dropdown>
      {renaming && <RenameDialog session={session} onClose={() => setRenaming(false)} />}
    </li>
  )
}
