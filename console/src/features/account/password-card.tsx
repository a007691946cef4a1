import { App, Button, Card, Form, Input, Typography } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { PasswordField } from '@/components/password-field'
import { fieldErrors } from '@/lib/field-errors'
import type { Profile } from '@/types'

import { useChangePasswordMutation } from './api'

interface Fields {
  current: string
  new: string
}

export function PasswordCard({ user }: { user: Profile }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const [form] = Form.useForm<Fields>()
  const [change, { isLoading, error }] = useChangePasswordMutation()
  if (!user.has_password) {
    return <Card title={t('login.password')}><Typography.Text type="secondary">{t('account.ssoPassword')}</Typography.Text></Card>
  }
  const save = async (fields: Fields) => {
    const answer = await change(fields)
    if (answer.error) return form.setFields(fieldErrors(answer.error))
    form.resetFields()
    void message.success(t('password.changed'))
  }
  return (
    <Card title={t('login.password')}>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(fields) => void save(fields)}>
        <input hidden readOnly autoComplete="username" value={user.email} />
        <Form.Item name="current" label={t('password.current')} rules={[{ required: true, message: t('login.passwordMissing') }]}>
          <Input.Password autoComplete="current-password" maxLength={1024} />
        </Form.Item>
        <PasswordField name="new" label={t('password.new')} own={[user.email, user.name]} />
        <Typography.Paragraph type="secondary">{t('password.endsOthers')}</Typography.Paragraph>
        {error && <div className="login-error"><ErrorNote error={error} /></div>}
        <Button type="primary" htmlType="submit" loading={isLoading}>{t('password.change')}</Button>
      </Form>
    </Card>
  )
}
