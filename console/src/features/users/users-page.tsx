import { UserAddOutlined } from '@ant-design/icons'
import { Button, Tabs } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'

import { Page } from '@/components/page'
import { paths } from '@/config/paths'
import { useMay } from '@/lib/hooks'

import { InviteDialog } from './invite-dialog'
import { InviteList } from './invite-list'
import { LockoutList } from './lockout-list'
import { UserList } from './user-list'

/** Who uses the hub, who is invited, and who has been locked out. `at`: the address of the open tab. */
export function UsersPage({ at }: { at: string }) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const mayManage = useMay('users.manage')
  const [inviting, setInviting] = useState(false)
  const tabs = [
    { key: paths.users, label: t('users.people'), children: <UserList /> },
    { key: paths.invites, label: t('invites.title'), children: <InviteList /> },
    { key: paths.lockouts, label: t('lockouts.title'), children: <LockoutList /> },
  ]
  return (
    <Page
      title={t('nav.users')}
      hint={t('users.hint')}
      actions={mayManage && (
        <Button type="primary" icon={<UserAddOutlined />} onClick={() => setInviting(true)}>{t('invites.invite')}</Button>
      )}
    >
      <Tabs
        activeKey={at}
        onChange={(key) => void navigate(key)}
        destroyOnHidden
        items={tabs.filter(({ key }) => mayManage || key === paths.users)}
      />
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
    </Page>
  )
}
