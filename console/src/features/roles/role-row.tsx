import { DeleteOutlined, EditOutlined } from '@ant-design/icons'
import { Button, Flex, Popconfirm, Tag } from 'antd'
import { useTranslation } from 'react-i18next'

import { useAuth, useMay } from '@/lib/hooks'
import { holdsAll } from '@/lib/permissions'
import type { Role } from '@/types'

import { useRemoveRoleMutation } from './api'

/** The administrator's role is what it is; one that includes more than one's own is not ours to change. */
export function RoleRow({ role, onEdit }: { role: Role; onEdit: () => void }) {
  const { t } = useTranslation()
  const { user } = useAuth()
  const mayManage = useMay('roles.manage')
  const [remove, { isLoading }] = useRemoveRoleMutation()
  const { name, title } = role
  const fixed = name === 'admin' || !holdsAll(role.permissions, user)
  return (
    <li className="row" aria-label={title}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            {title} <code>{name}</code> {role.builtin && <Tag>{t('roles.builtin')}</Tag>}
          </div>
          {role.description && <div className="row-sub">{role.description}</div>}
          <div className="facts">
            <span>{t('roles.users', { count: role.users })}</span>
            <span>{t('keys.scopesCount', { count: role.permissions.length })}</span>
          </div>
        </div>
        {mayManage && (
          <Flex gap={8} className="row-actions">
            <Button icon={<EditOutlined />} disabled={fixed} aria-label={t('roles.editName', { title })} onClick={onEdit}>{t('users.edit')}</Button>
            {!role.builtin && (
              <Popconfirm
                title={t('roles.removeAsk', { title })}
                description={role.users > 0 ? t('roles.inUse') : undefined}
                okText={t('users.remove')}
                cancelText={t('actions.keep')}
                okButtonProps={{ danger: true }}
                onConfirm={() => void remove(name)}
              >
                <Button type="text" danger icon={<DeleteOutlined />} loading={isLoading} aria-label={t('roles.removeName', { title })} />
              </Popconfirm>
            )}
          </Flex>
        )}
      </Flex>
    </li>
  )
}
