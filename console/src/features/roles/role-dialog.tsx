import { Alert, Form, Input, Modal } from 'antd'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { PermissionBoxes } from '@/components/permission-boxes'
import { fieldErrors } from '@/lib/field-errors'
import { useAuth } from '@/lib/hooks'
import type { Permission, Role, RoleRequest } from '@/types'

import { useSaveRoleMutation } from './api'

interface Props {
  /** The one to change; null for a new one. */
  role: Role | null
  permissions: Permission[]
  onClose: () => void
}

export function RoleDialog({ role, permissions, onClose }: Props) {
  const { t } = useTranslation()
  const { user } = useAuth()
  const [form] = Form.useForm<RoleRequest>()
  const [save, { isLoading, error }] = useSaveRoleMutation()
  const submit = async (fields: RoleRequest) => {
    const answer = await save({ role: { ...fields, name: role?.name ?? fields.name }, isNew: role === null })
    if (answer.error) form.setFields(fieldErrors(answer.error))
    else onClose()
  }
  return (
    <Modal
      open
      title={role ? t('roles.editName', { title: role.title }) : t('roles.make')}
      okText={t('actions.save')}
      okButtonProps={{ loading: isLoading }}
      onOk={form.submit}
      onCancel={onClose}
    >
      <Form<RoleRequest>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={role ?? { permissions: [], description: '' }}
        onFinish={(fields) => void submit(fields)}
      >
        {!role && (
          <Form.Item
            name="name"
            label={t('roles.name')}
            extra={t('roles.nameHint')}
            rules={[{ required: true, message: t('deploy.nameMissing') }, { pattern: /^[a-z][a-z0-9_-]*$/, message: t('roles.nameWrong') }]}
          >
            <Input maxLength={50} autoFocus />
          </Form.Item>
        )}
        <Form.Item name="title" label={t('roles.title')} rules={[{ required: true, whitespace: true, message: t('deploy.nameMissing') }]}>
          <Input maxLength={100} />
        </Form.Item>
        <Form.Item name="description" label={t('teams.description')}>
          <Input.TextArea maxLength={500} autoSize />
        </Form.Item>
        <Form.Item name="permissions" label={t('roles.permissions')} extra={t('roles.onlyOwn')}>
          <PermissionBoxes
            label={t('roles.permissions')}
            choices={permissions.map(({ name, description }) => ({ name, description, disabled: !user?.permissions.includes(name) }))}
          />
        </Form.Item>
        {role && role.users > 0 && <Alert className="login-error" type="info" showIcon title={t('roles.counts', { count: role.users })} />}
        {error && <ErrorNote error={error} />}
      </Form>
    </Modal>
  )
}
