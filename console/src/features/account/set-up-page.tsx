import { Alert, Button, Card, Flex, Form, Input, Typography } from 'antd'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { PasswordField } from '@/components/password-field'
import { fieldErrors } from '@/lib/field-errors'
import type { Profile } from '@/types'

import { useChangePasswordMutation, useChangeProfileMutation } from './api'

interface Fields {
  name: string
  email: string
  current: string
  new: string
}

interface Props {
  user: Profile
  onLater: () => void
}

/** The first administrator makes the account their own: a name, an address, a password that no log has seen. */
export function SetUpPage({ user, onLater }: Props) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Fields>()
  const [changeProfile, profile] = useChangeProfileMutation()
  const [changePassword, password] = useChangePasswordMutation()
  const [keeping, setKeeping] = useState(false)
  const typed = Form.useWatch([], form) as Partial<Fields> | undefined
  const error = profile.error ?? password.error
  useEffect(() => {
    document.title = `${t('setUp.title')} · ModelHub`
  }, [t])

  const save = async ({ name, email, current, new: chosen }: Fields) => {
    const named = await changeProfile({ name, ...(email !== user.email && { email }) })
    const answer = named.error ? named : await changePassword({ current, new: chosen })
    if (answer.error) form.setFields(fieldErrors(answer.error))
  }
  return (
    <main className="login">
      <Card className="login-card set-up">
        <div className="login-brand">
          <img src="/favicon.svg" alt="" width={44} height={44} />
          <Typography.Title level={1}>{t('setUp.title')}</Typography.Title>
          <Typography.Text type="secondary">{t('setUp.lead')}</Typography.Text>
        </div>
        <Form<Fields>
          form={form}
          layout="vertical"
          requiredMark={false}
          size="large"
          initialValues={{ name: user.name, email: user.email }}
          onFinish={(fields) => void save(fields)}
        >
          <Form.Item name="name" label={t('account.name')} rules={[{ required: true, whitespace: true, message: t('account.nameMissing') }]}>
            <Input autoComplete="name" maxLength={200} autoFocus />
          </Form.Item>
          <Form.Item name="email" label={t('login.email')} rules={[{ required: true, message: t('login.emailMissing') }]}>
            <Input autoComplete="username" inputMode="email" maxLength={254} />
          </Form.Item>
          <Form.Item
            name="current"
            label={t('setUp.current')}
            extra={t('setUp.currentHint')}
            rules={[{ required: true, message: t('login.passwordMissing') }]}
          >
            <Input.Password autoComplete="current-password" maxLength={1024} />
          </Form.Item>
          <PasswordField name="new" label={t('setUp.new')} own={[typed?.email ?? '', typed?.name ?? '']} />
          {error && <div className="login-error"><ErrorNote error={error} /></div>}
          <Button type="primary" htmlType="submit" block loading={profile.isLoading || password.isLoading}>{t('setUp.submit')}</Button>
        </Form>
        <div className="set-up-later">
          {keeping ? (
            <Alert
              type="warning"
              showIcon
              title={t('setUp.keepTitle')}
              description={
                <Flex vertical gap={8} align="flex-start">
                  {t('setUp.keepHint')}
                  <Button onClick={onLater}>{t('setUp.keepSure')}</Button>
                </Flex>
              }
            />
          ) : (
            <Button type="link" block onClick={() => setKeeping(true)}>{t('setUp.keep')}</Button>
          )}
        </div>
      </Card>
    </main>
  )
}
