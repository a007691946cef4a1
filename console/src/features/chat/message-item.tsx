import { Alert, Typography } from 'antd'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'

import { CopyButton } from '@/components/copy-button'
import { Markdown } from '@/components/markdown'
import { duration } from '@/lib/format'
import type { Message } from '@/types'

import { tokensPerSecond } from './stream'

export const MessageItem = memo(function MessageItem({ message, name }: { message: Message; name: string }) {
  const { t } = useTranslation()
  if (message.role === 'user') {
    return (
      <article className="message mine" aria-label={t('chat.you')}>
        <div className="bubble">{message.content}</div>
      </article>
    )
  }
  const writing = message.status === 'generating'
  return (
    <article className="message theirs" aria-label={name} aria-busy={writing}>
      {message.content && <Markdown text={message.content} />}
      {writing && <span className="writing" role="img" aria-label={t('chat.writing')} />}
      {message.status === 'failed' && (
        <Alert type="error" showIcon title={message.error?.message ?? t('errors.unexpected')} description={message.error?.code} />
      )}
      {!writing && <Figures message={message} />}
    </article>
  )
})

function Figures({ message }: { message: Message }) {
  const { t } = useTranslation()
  const speed = tokensPerSecond(message)
  const parts = [
    message.status === 'stopped' && t('chat.stopped'),
    message.finish_reason === 'length' && t('chat.cut'),
    message.completion_tokens && t('chat.tokens', { count: message.completion_tokens }),
    speed && t('chat.speed', { n: speed < 10 ? speed.toFixed(1) : Math.round(speed) }),
    message.ttft_ms !== null && message.ttft_ms !== undefined && t('chat.first', { time: duration(message.ttft_ms / 1000) }),
  ].filter(Boolean)
  return (
    <div className="figures">
      {message.content && <CopyButton text={message.content} label={t('chat.copy')} />}
      <Typography.Text type="secondary">{parts.join(' · ')}</Typography.Text>
    </div>
  )
}
