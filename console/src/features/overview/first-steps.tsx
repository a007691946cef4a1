import { CheckCircleFilled } from '@ant-design/icons'
import { Button, Card, Typography } from 'antd'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'

/** How far the newcomer has come. */
export interface Progress {
  hasModel: boolean
  bringing: boolean
  hasDeployment: boolean
  hasChat: boolean
  starter: boolean
}

interface Props {
  progress: Progress
  onMakeFirst: () => Promise<unknown>
}

/** From nothing to a conversation in three steps; gone when all are done. */
export function FirstSteps({ progress, onMakeFirst }: Props) {
  const { t } = useTranslation()
  const [busy, setBusy] = useState(false)
  const { hasModel, bringing, hasDeployment, hasChat, starter } = progress
  if (hasModel && hasDeployment && hasChat) return null

  const makeFirst = async () => {
    setBusy(true)
    try {
      await onMakeFirst()
    } finally {
      setBusy(false)
    }
  }
  const bring = bringing ? (
    <LinkButton to={paths.downloads} type="primary">{t('first.watch')}</LinkButton>
  ) : (
    <>
      {starter && <Button type="primary" loading={busy} onClick={() => void makeFirst()}>{t('first.make')}</Button>}
      <LinkButton to={paths.search} type={starter ? 'default' : 'primary'}>{t('first.search')}</LinkButton>
    </>
  )
  const steps: { key: string; done: boolean; action: ReactNode }[] = [
    { key: 'model', done: hasModel, action: bring },
    { key: 'deploy', done: hasDeployment, action: <LinkButton to={paths.library} type="primary">{t('first.library')}</LinkButton> },
    { key: 'chat', done: hasChat, action: <LinkButton to={paths.chat} type="primary">{t('first.talk')}</LinkButton> },
  ]
  const now = steps.findIndex(({ done }) => !done)
  return (
    <Card className="first" title={t('first.title')}>
      <ol className="steps">
        {steps.map(({ key, done, action }, index) => (
          <li key={key} className={done ? 'step done' : index === now ? 'step now' : 'step'} aria-current={index === now ? 'step' : undefined}>
            <span className="step-mark" aria-hidden>{done ? <CheckCircleFilled /> : index + 1}</span>
            <div className="step-body">
              <Typography.Text strong>{t(`first.${key}.title`)}</Typography.Text>
              <Typography.Text type="secondary">{t(`first.${key}.hint`)}</Typography.Text>
              {index === now && <div className="step-action">{action}</div>}
            </div>
          </li>
        ))}
      </ol>
    </Card>
  )
}
