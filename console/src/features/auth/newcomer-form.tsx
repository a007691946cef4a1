import { Button, Form, Input } from 'antd'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { PasswordField } from '@/components/password-field'
import { fieldErrors } from '@/lib/field-errors'

import { RefusedNote, useWait } from './refused-note'

export interface NewcomerFields {
  email: string
  name?: string
  password: string
}

interface Props {
  submit: string
  busy: boolean
  error: unknown
  onSubmit: (fields: NewcomerFields) => void
  /** Set where the link is for one address only. */
  email?: string | null
  /** Only a new password: the account exists. */
  reset?: boolean
}

/** Who one is and with what password one comes: for registering, joining and coming back. */
export function NewcomerForm({ submit, busy, error, onSubmit, email, reset = false }: Props) {
  const { t } = useTranslation()
  const [form] = Form.useForm<NewcomerFields>()
  const wait = useWait(error)
  const typed = Form.useWatch([], form) as Partial<NewcomerFields> | undefined
  useEffect(() => {
    if (error) form.setFields(fieldErrors(error))
  }, [error, form])
  return (
    <Form<NewcomerFields>
      form={form}
      layout="vertical"
      requiredMark={false}
      size="large"
      initialValues={{ email: email ?? undefined }}
      onFinish={onSubmit}
    >
      <Form.Item
        name="email"
        label={t('login.email')}
        rules={[{ required: !reset, message: t('login.emailMissing') }]}
        hidden={reset && !email}
      >
        <Input autoComplete="username" inputMode="email" disabled={Boolean(email)} autoFocus={!email} maxLength={254} />
      </Form.Item>
      {!reset && (
        <Form.Item name="name" label={t('account.name')}>
          <Input autoComplete="name" maxLength={200} autoFocus={Boolean(email)} />
        </Form.Item>
      )}
      <PasswordField name="password" label={reset ? t('password.new') : t('login.password')} own={[typed?.email ?? '', typed?.name ?? '']} />
      <RefusedNote error={error} wait={wait} />
      <Button type="primary" htmlType="submit" block loading={busy} disabled={wait > 0}>{submit}</Button>
    </Form>
  )
}
