import { LockOutlined, MailOutlined } from '@ant-design/icons'
import { Button, Card, Form, Input, Typography } from 'antd'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'

import { useLoginMutation } from './api'

interface Fields {
  email: string
  password: string
}

export function LoginPage() {
  const { t } = useTranslation()
  const [login, { isLoading, error }] = useLoginMutation()
  useEffect(() => {
    document.title = `${t('login.title')} · ModelHub`
  }, [t])
  return (
    <main className="login">
      <Card className="login-card">
        <div className="login-brand">
          <img src="/favicon.svg" alt="" width={44} height={44} />
          <Typography.Title level={1}>ModelHub</Typography.Title>
          <Typography.Text type="secondary">{t('login.lead')}</Typography.Text>
        </div>
        <Form<Fields> layout="vertical" requiredMark={false} size="large" onFinish={(fields) => void login(fields)}>
          <Form.Item name="email" label={t('login.email')} rules={[{ required: true, message: t('login.emailMissing') }]}>
            <Input prefix={<MailOutlined />} autoComplete="username" inputMode="email" autoFocus />
          </Form.Item>
          <Form.Item name="password" label={t('login.password')} rules={[{ required: true, message: t('login.passwordMissing') }]}>
            <Input.Password prefix={<LockOutlined />} autoComplete="current-password" />
          </Form.Item>
          {error && <div className="login-error"><ErrorNote error={error} /></div>}
          <Button type="primary" htmlType="submit" block loading={isLoading}>{t('login.submit')}</Button>
        </Form>
        <Typography.Paragraph type="secondary" className="login-hint">{t('login.hint')}</Typography.Paragraph>
      </Card>
    </main>
  )
}
