import { Grid } from 'antd'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import type { Deployment } from '@/types'

import { Conversation } from './conversation'
import { NewChat } from './new-chat'
import { SessionList } from './session-list'

interface Props {
  /** The open conversation; none: the start of a new one. */
  sessionId?: string
  deployments: Deployment[] | undefined
  /** The deployment a new conversation begins with. */
  preferred?: string
}

/** Conversations on the left, the open one on the right; on a small screen one of the two at a time. */
export function ChatPage({ sessionId, deployments, preferred }: Props) {
  const { t } = useTranslation()
  const wide = Grid.useBreakpoint().md ?? window.innerWidth >= 768
  useEffect(() => {
    document.title = `${t('nav.chat')} · ModelHub`
  }, [t])
  return (
    <div className="chat">
      {wide && <SessionList openId={sessionId} />}
      <section className="chat-main" aria-label={t('chat.conversation')}>
        {sessionId ? (
          <Conversation
            key={sessionId}
            id={sessionId}
            deployments={deployments}
            narrow={!wide}
          />
        ) : (
          <>
            <NewChat deployments={deployments} preferred={preferred} />
            {!wide && <SessionList />}
          </>
        )}
      </section>
    </div>
  )
}
