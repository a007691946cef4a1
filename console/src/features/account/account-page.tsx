import { Tabs, Tag } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { useNavigate } from 'react-router'

import { Page } from '@/components/page'
import { paths } from '@/config/paths'
import { useAuth, useMay } from '@/lib/hooks'

import { PasswordCard } from './password-card'
import { ProfileCard } from './profile-card'
import { Sessions } from './sessions'

interface Props {
  /** The address of the open tab. */
  at: string
  /** One's API keys. */
  keys: ReactNode
}

/** Everything about oneself. */
export function AccountPage({ at, keys }: Props) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { user } = useAuth()
  const mayUseKeys = useMay('keys.use')
  if (!user) return null
  const tabs = [
    {
      key: paths.account,
      label: t('account.profile'),
      children: (
        <div className="halves">
          <ProfileCard user={user} />
          <PasswordCard user={user} />
        </div>
      ),
    },
    { key: paths.sessions, label: t('sessions.title'), children: <Sessions /> },
    { key: paths.keys, label: t('keys.title'), children: keys },
  ]
  return (
    <Page title={t('account.title')} hint={<>{user.email} <Tag>{user.role}</Tag></>}>
      <Tabs
        activeKey={at}
        onChange={(key) => void navigate(key)}
        destroyOnHidden
        items={tabs.filter(({ key }) => key !== paths.keys || mayUseKeys)}
      />
    </Page>
  )
}
