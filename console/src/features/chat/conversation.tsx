import { ArrowLeftOutlined, SettingOutlined } from '@ant-design/icons'
import { Alert, Button, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'
import type { Deployment, SessionDetail } from '@/types'

import { useSessionQuery } from './api'
import { Composer } from './composer'
import { stopGeneration, useGeneration, useSend } from './generation'
import { MessageItem } from './message-item'
import { useStickToEnd } from './scroll'
import { SettingsDrawer } from './settings'

interface Props {
  id: string
  deployments: Deployment[] | undefined
  narrow: boolean
}

export function Conversation({ id, deployments, narrow }: Props) {
  const { t } = useTranslation()
  const { data: session, error, isError, refetch } = useSessionQuery(id, { refetchOnMountOrArgChange: true })
  if (isError && !session) {
    return <div className="chat-problem"><ErrorNote error={error} retry={() => void refetch()} /></div>
  }
  if (!session) return <Skeleton active className="chat-skeleton" aria-label={t('common.loading')} />
  return <Open session={session} deployments={deployments} narrow={narrow} refetch={() => void refetch()} />
}

function Open({ session, deployments, narrow, refetch }: {
  session: SessionDetail
  deployments: Deployment[] | undefined
  narrow: boolean
  refetch: () => void
}) {
  const { t } = useTranslation()
  const [settings, setSettings] = useState(false)
  const send = useSend()
  const writing = session.messages.find(({ status }) => status === 'generating')
  useGeneration(session.id, writing, refetch)
  const { box, onScroll, stick } = useStickToEnd(session.messages)
  const deployment = deployments?.find(({ id }) => id === session.deployment_id)
  const asleep = deployments !== undefined && deployment?.status !== 'running'

  return (
    <>
      <header className="chat-head">
        {narrow && <LinkButton to={paths.chat} type="text" icon={<ArrowLeftOutlined />} aria-label={t('chat.back')} />}
        <div className="chat-head-text">
          <Typography.Title level={1} className="chat-title" ellipsis>{session.title}</Typography.Title>
          <Typography.Text type="secondary">{session.deployment_name}</Typography.Text>
        </div>
        <Button type="text" icon={<SettingOutlined />} aria-label={t('chat.settings')} title={t('chat.settings')} onClick={() => setSettings(true)} />
      </header>
      <div ref={box} onScroll={onScroll} className="chat-messages" role="log" aria-label={t('chat.messages')} aria-live="polite" tabIndex={0}>
        <div className="chat-column">
          {session.messages.length === 0 && <EmptyState title={t('chat.empty')} hint={t('chat.emptyHint')} />}
          {session.messages.map((message) => <MessageItem key={message.id} message={message} name={session.deployment_name} />)}
        </div>
      </div>
      <footer className="chat-foot">
        <div className="chat-column">
          {asleep && (
            <Alert
              type="warning"
              showIcon
              title={t('chat.asleep', { name: session.deployment_name })}
              action={<Link to={paths.deployments}>{t('nav.deployments')}</Link>}
            />
          )}
          <Composer
            autoFocus={!narrow}
            disabled={asleep && !writing}
            onStop={writing && (() => void stopGeneration(writing.id))}
            onSend={(content) => {
              stick()
              return send(session.id, content)
            }}
          />
        </div>
      </footer>
      {settings && <SettingsDrawer session={session} onClose={() => setSettings(false)} />}
    </>
  )
}
