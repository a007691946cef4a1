import { Drawer, Button, Form, Input, InputNumber, Slider } from 'antd'
import { useTranslation } from 'react-i18next'

import type { ChatOptions, SessionDetail } from '@/types'

import { useChangeSessionMutation } from './api'

export interface Settings {
  system_prompt?: string | null
  temperature?: number | null
  top_p?: number | null
  max_tokens?: number | null
}

/** As the API takes it: what is left empty is left to the engine. */
export function settingsSent({ system_prompt, ...sampling }: Settings): { system_prompt?: string; options: Partial<ChatOptions> } {
  const options = Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== null && value !== undefined))
  return { system_prompt: system_prompt?.trim() || undefined, options }
}

function Dial({ value, onChange, min = 0, max, step, label }: {
  value?: number | null
  onChange?: (value: number | null) => void
  min?: number
  max: number
  step: number
  label: string
}) {
  const { t } = useTranslation()
  return (
    <div className="dial">
      <Slider min={min} max={max} step={step} value={value ?? undefined} onChange={(next) => onChange?.(next)} ariaLabelForHandle={label} />
      <InputNumber
        min={min} max={max} step={step} aria-label={label} placeholder={t('chat.auto')}
        value={value} onChange={(next) => onChange?.(next)}
      />
    </div>
  )
}

export function SettingsFields() {
  const { t } = useTranslation()
  return (
    <>
      <Form.Item name="system_prompt" label={t('chat.system')} extra={t('chat.systemHint')}>
        <Input.TextArea autoSize={{ minRows: 2, maxRows: 10 }} maxLength={50_000} />
      </Form.Item>
      <Form.Item name="temperature" label={t('chat.temperature')} extra={t('chat.temperatureHint')}>
        <Dial max={2} step={0.05} label={t('chat.temperature')} />
      </Form.Item>
      <Form.Item name="top_p" label={t('chat.topP')}>
        <Dial min={0.05} max={1} step={0.05} label={t('chat.topP')} />
      </Form.Item>
      <Form.Item name="max_tokens" label={t('chat.maxTokens')}>
        <InputNumber className="wide" min={1} max={131_072} precision={0} placeholder={t('chat.auto')} />
      </Form.Item>
    </>
  )
}

export function SettingsDrawer({ session, onClose }: { session: SessionDetail; onClose: () => void }) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Settings>()
  const [change, { isLoading }] = useChangeSessionMutation()
  const save = async (settings: Settings) => {
    const { system_prompt, options } = settingsSent(settings)
    const answer = await change({ id: session.id, system_prompt: system_prompt ?? null, options: { ...kept(session.options), ...options } })
    if (!answer.error) onClose()
  }
  return (
    <Drawer
      open
      onClose={onClose}
      title={t('chat.settings')}
      size="min(440px, 100vw)"
      footer={<Button type="primary" block loading={isLoading} onClick={form.submit}>{t('actions.save')}</Button>}
    >
      <Form form={form} layout="vertical" onFinish={(settings: Settings) => void save(settings)} initialValues={{ ...session.options, system_prompt: session.system_prompt }}>
        <SettingsFields />
      </Form>
    </Drawer>
  )
}

/** Options this form does not show survive its saving. */
function kept({ top_k, seed }: Partial<ChatOptions>): Partial<ChatOptions> {
  return Object.fromEntries(Object.entries({ top_k, seed }).filter(([, value]) => value !== null && value !== undefined))
}
