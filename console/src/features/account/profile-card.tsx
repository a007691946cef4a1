import { App, Button, Card, Form, Input } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { fieldErrors } from '@/lib/field-errors'
import type { Profile } from '@/types'

import { useChangeProfileMutation } from './api'

interface Fields {
  name: string
  email: string
}

export function ProfileCard({ user }: { user: Profile }) {
  const { t } = useTranslation()
  const { message } = App.useApp()
  const [form] = Form.useForm<Fields>()
  const [change, { isLoading, error }] = useChangeProfileMutation()
  const save = async ({ name, email }: Fields) => {
    const answer = await change({ name, ...(email !== user.email && { email }) })
    if (answer.error) form.setFields(fieldErrors(answer.error))
    else void message.success(t('account.saved'))
  }
  return (
    <Card title={t('account.profile')}>
      <Form form={form} layout="vertical" requiredMark={false} initialValues={user} onFinish={(fields) => void save(fields)}>
        <Form.Item name="name" label={t('account.name')}>
          <Input autoComplete="name" maxLength={200} />
        </Form.Item>
        <Form.Item
          name="email"
          label={t('login.email')}
          extra={user.has_password ? undefined : t('account.ssoEmail')}
          rules={[{ required: true, message: t('login.emailMissing') }]}
        >
          <Input autoComplete="email" inputMode="email" maxLength={254} disabled={!user.has_password} />
        </Form.Item>
        {error && <div className="login-error"><ErrorNote error={error} /></div>}
        <Button type="primary" htmlType="submit" loading={isLoading}>{t('actions.save')}</Button>
      </Form>
    </Card>
  )
}
