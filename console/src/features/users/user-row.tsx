import {
  DeleteOutlined, DesktopOutlined, EditOutlined, LinkOutlined, MoreOutlined, StopOutlined, UndoOutlined,
} from '@ant-design/icons'
import { App, Button, Dropdown, Flex, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { StatusTag } from '@/components/status-tag'
import { useAuth, useDates, useMay } from '@/lib/hooks'
import { holdsAll } from '@/lib/permissions'
import type { Role, User } from '@/types'

import { useChangeUserMutation } from './api'
import { EditUserDialog } from './edit-user-dialog'
import { RemoveUserDialog } from './remove-user-dialog'
import { ResetLinkDialog } from './reset-link-dialog'
import { UserSessionsDrawer } from './user-sessions-drawer'

type Opened = 'edit' | 'reset' | 'sessions' | 'remove'

export function UserRow({ user, roles }: { user: User; roles: Role[] }) {
  const { t } = useTranslation()
  const dates = useDates()
  const { user: me } = useAuth()
  const mayManage = useMay('users.manage')
  const [opened, setOpened] = useState<Opened | null>(null)
  const role = roles.find(({ name }) => name === user.role)
  const self = user.id === me?.id
  const name = user.name || user.email
  const close = () => setOpened(null)
  return (
    <li className="row" aria-label={user.email}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            {name} <Tag>{role?.title ?? user.role}</Tag>
            {self && <Tag color="success" className="status">{t('users.you')}</Tag>}
            {!user.active && <StatusTag status="deactivated" />}
          </div>
          <div className="facts">
            {user.name && <span>{user.email}</span>}
            <span title={dates.moment(user.last_seen_at)}>
              {user.last_seen_at ? t('sessions.seen', { when: dates.ago(user.last_seen_at) }) : t('users.neverSeen')}
            </span>
            <span title={dates.moment(user.created_at)}>{t('users.since', { when: dates.ago(user.created_at) })}</span>
          </div>
        </div>
        {mayManage && <Actions user={user} name={name} self={self} above={!holdsAll(role?.permissions ?? [], me)} onOpen={setOpened} />}
      </Flex>
      {opened === 'edit' && <EditUserDialog user={user} roles={roles} onClose={close} />}
      {opened === 'reset' && <ResetLinkDialog user={user} onClose={close} />}
      {opened === 'sessions' && <UserSessionsDrawer user={user} onClose={close} />}
      {opened === 'remove' && <RemoveUserDialog user={user} onClose={close} />}
    </li>
  )
}

/** `above`: who may more than oneself is not ours to change. */
function Actions({ user, name, self, above, onOpen }: {
  user: User
  name: string
  self: boolean
  above: boolean
  onOpen: (what: Opened) => void
}) {
  const { t } = useTranslation()
  const { modal } = App.useApp()
  const [change] = useChangeUserMutation()
  const setActive = (active: boolean) => void change({ id: user.id, active })
  const askDeactivate = () =>
    modal.confirm({
      title: t('users.deactivateAsk', { name }),
      content: t('users.deactivateHint'),
      okText: t('users.deactivate'),
      okButtonProps: { danger: true },
      onOk: () => setActive(false),
    })
  return (
    <Flex gap={8} className="row-actions">
      <Button icon={<EditOutlined />} disabled={above} aria-label={t('users.editName', { name })} onClick={() => onOpen('edit')}>
        {t('users.edit')}
      </Button>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'sessions', icon: <DesktopOutlined />, label: t('sessions.title'), onClick: () => onOpen('sessions') },
            { key: 'reset', icon: <LinkOutlined />, label: t('users.reset'), disabled: above || !user.active, onClick: () => onOpen('reset') },
            user.active
              ? { key: 'off', icon: <StopOutlined />, label: t('users.deactivate'), disabled: self || above, onClick: askDeactivate }
              : { key: 'on', icon: <UndoOutlined />, label: t('users.activate'), disabled: above, onClick: () => setActive(true) },
            { type: 'divider' },
            { key: 'remove', icon: <DeleteOutlined />, label: t('users.remove'), danger: true, disabled: self || above, onClick: () => onOpen('remove') },
          ],
        }}
      >
        <Button type="text" icon={<MoreOutlined />} aria-label={t('users.more', { name })} />
      </Dropdown>
    </Flex>
  )
}
