import { LockOutlined, LoginOutlined, MailOutlined } from '@ant-design/icons'
import { Alert, Button, Divider, Form, Input, Typography } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { paths } from '@/config/paths'
import { type Farewell, sessionHint } from '@/lib/auth-slice'

import { useLoginMutation, useSignInOptionsQuery } from './api'
import { DoorCard } from './door-card'
import { RefusedNote, useWait } from './refused-note'

interface Fields {
  email: string
  password: string
}

interface Props {
  /** Where one wanted to go. */
  from: string
  /** Why one is here again, where that needs a sentence. */
  farewell: Farewell | null
  /** What single sign-on said, in its own words. */
  ssoError: string | null
}

export function LoginPage({ from, farewell, ssoError }: Props) {
  const { t } = useTranslation()
  const [login, { isLoading, error }] = useLoginMutation()
  const { data: options } = useSignInOptionsQuery()
  const wait = useWait(error)
  return (
    <DoorCard title={t('login.title')} lead={t('login.lead')}>
      {farewell && !error && <Alert className="login-error" type="info" showIcon title={t(`login.${farewell}`)} />}
      {ssoError && !error && (
        <Alert className="login-error" type="error" showIcon role="alert" title={t('login.ssoFailed')} description={ssoError} />
      )}
      <Form<Fields> layout="vertical" requiredMark={false} size="large" onFinish={(fields) => void login(fields)}>
        <Form.Item name="email" label={t('login.email')} rules={[{ required: true, message: t('login.emailMissing') }]}>
          <Input prefix={<MailOutlined />} autoComplete="username" inputMode="email" autoFocus />
        </Form.Item>
        <Form.Item name="password" label={t('login.password')} rules={[{ required: true, message: t('login.passwordMissing') }]}>
          <Input.Password prefix={<LockOutlined />} autoComplete="current-password" />
        </Form.Item>
        <RefusedNote error={error} wait={wait} />
        <Button type="primary" htmlType="submit" block loading={isLoading} disabled={wait > 0}>{t('login.submit')}</Button>
      </Form>
      {options?.sso && (
        <>
          <Divider plain>{t('login.or')}</Divider>
          <Button
            block
            size="large"
            icon={<LoginOutlined />}
            href={`/api/v1/auth/sso/start?next=${encodeURIComponent(from)}`}
            onClick={sessionHint.expect}
          >
            {options.sso_title || t('login.sso')}
          </Button>
        </>
      )}
      <Typography.Paragraph type="secondary" className="login-hint">
        {options?.registration ? (
          <>{t('login.newHere')} <Link to={paths.register}>{t('register.title')}</Link></>
        ) : (
          t('login.hint')
        )}
      </Typography.Paragraph>
    </DoorCard>
  )
}
