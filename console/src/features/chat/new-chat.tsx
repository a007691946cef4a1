import { CloudServerOutlined } from '@ant-design/icons'
import { Collapse, Form, Select, Skeleton, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'
import type { Deployment } from '@/types'

import { useCreateSessionMutation } from './api'
import { Composer } from './composer'
import { useSend } from './generation'
import { SettingsFields, type Settings, settingsSent } from './settings'

/** The first message makes the conversation. */
export function NewChat({ deployments, preferred }: { deployments: Deployment[] | undefined; preferred?: string }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const [form] = Form.useForm<Settings>()
  const [create] = useCreateSessionMutation()
  const send = useSend()
  const [picked, setPicked] = useState<string>()
  const running = deployments?.filter(({ status }) => status === 'running') ?? []
  const chosen = running.find(({ id }) => id === (picked ?? preferred)) ?? running[0]

  const start = async (content: string) => {
    if (!chosen) return false
    const settings = await form.validateFields().catch(() => null)
    if (!settings) return false
    const answer = await create({ deployment_id: chosen.id, ...settingsSent(settings) })
    if (answer.error) return false
    // Once the conversation exists it is shown, even if this first message was refused.
    await send(answer.data.id, content)
    void navigate(paths.session(answer.data.id))
    return true
  }

  if (!deployments) return <Skeleton active className="chat-skeleton" />
  if (running.length === 0) {
    return (
      <EmptyState title={t('chat.noDeployment')} hint={t('chat.noDeploymentHint')}>
        <LinkButton to={deployments.length > 0 ? paths.deployments : paths.library} type="primary" icon={<CloudServerOutlined />}>
          {deployments.length > 0 ? t('nav.deployments') : t('deployments.choose')}
        </LinkButton>
      </EmptyState>
    )
  }
  return (
    <div className="chat-start">
      <Typography.Title level={1} className="page-title">{t('chat.start')}</Typography.Title>
      <Select
        aria-label={t('chat.deployment')}
        className="wide"
        size="large"
        value={chosen?.id}
        onChange={setPicked}
        options={running.map(({ id, name, model_name }) => ({ value: id, label: name === model_name ? name : `${name} · ${model_name}` }))}
      />
      <Composer onSend={start} autoFocus />
      <Collapse
        ghost
        className="plain-collapse"
        items={[{
          key: 'settings',
          label: t('chat.settings'),
          forceRender: true,
          children: <Form form={form} layout="vertical"><SettingsFields /></Form>,
        }]}
      />
    </div>
  )
}
