import { Alert, Form, Input, Modal } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { fieldErrors } from '@/lib/field-errors'
import type { Role, User } from '@/types'

import { useChangeUserMutation } from './api'
import { RoleSelect } from './role-select'

interface Fields {
  name: string
  email: string
  role: string
}

export function EditUserDialog({ user, roles, onClose }: { user: User; roles: Role[]; onClose: () => void }) {
  const { t } = useTranslation()
  const [form] = Form.useForm<Fields>()
  const [change, { isLoading, error }] = useChangeUserMutation()
  const role = Form.useWatch('role', form) ?? user.role
  const save = async (fields: Fields) => {
    const changed = Object.fromEntries(Object.entries(fields).filter(([key, value]) => value !== user[key as keyof Fields]))
    if (Object.keys(changed).length === 0) return onClose()
    const answer = await change({ id: user.id, ...changed })
    if (answer.error) form.setFields(fieldErrors(answer.error))
    else onClose()
  }
  return (
    <Modal
      open
      title={t('users.editName', { name: user.name || user.email })}
      okText={t('actions.save')}
      okButtonProps={{ loading: isLoading }}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form form={form} layout="vertical" requiredMark={false} initialValues={user} onFinish={(fields) => void save(fields)}>
        <Form.Item name="name" label={t('account.name')}>
          <Input maxLength={200} autoFocus />
        </Form.Item>
        <Form.Item name="email" label={t('login.email')} rules={[{ required: true, message: t('login.emailMissing') }]}>
          <Input inputMode="email" maxLength={254} autoComplete="off" />
        </Form.Item>
        <Form.Item name="role" label={t('users.role')} extra={roles.find(({ name }) => name === role)?.description}>
          <RoleSelect />
        </Form.Item>
        {role !== user.role && <Alert className="login-error" type="info" showIcon title={t('users.roleEnds')} />}
        {error && <ErrorNote error={error} />}
      </Form>
    </Modal>
  )
}
