import { DesktopOutlined, GlobalOutlined, KeyOutlined, LogoutOutlined, MoonOutlined, SunOutlined, UserOutlined } from '@ant-design/icons'
import { Badge, Button, Dropdown, Tooltip } from 'antd'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { languages, type Language } from '@/config/i18n'
import { paths } from '@/config/paths'
import { useLogoutMutation } from '@/features/auth/api'
import { useAppDispatch, useAuth, useConnected, useMay, usePreferences } from '@/lib/hooks'
import { preferred } from '@/lib/preferences'

function Connection() {
  const { t } = useTranslation()
  const up = useConnected()
  const text = up ? t('connection.up') : t('connection.down')
  return (
    <Tooltip title={up ? t('connection.upHint') : t('connection.downHint')}>
      <span role="status" aria-label={text} className="connection">
        <Badge status={up ? 'success' : 'warning'} text={text} />
      </span>
    </Tooltip>
  )
}

export function HeaderTools() {
  const { t } = useTranslation()
  const dispatch = useAppDispatch()
  const { dark, language } = usePreferences()
  const { user } = useAuth()
  const mayUseKeys = useMay('keys.use')
  const [logout] = useLogoutMutation()
  return (
    <div className="tools">
      <Connection />
      <Dropdown
        trigger={['click']}
        menu={{
          selectedKeys: [language],
          items: Object.entries(languages).map(([key, label]) => ({ key, label })),
          onClick: ({ key }) => dispatch(preferred({ language: key as Language })),
        }}
      >
        <Button type="text" icon={<GlobalOutlined />} aria-label={t('header.language')} />
      </Dropdown>
      <Button
        type="text"
        icon={dark ? <SunOutlined /> : <MoonOutlined />}
        aria-label={dark ? t('header.light') : t('header.dark')}
        onClick={() => dispatch(preferred({ dark: !dark }))}
      />
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'who', label: <span className="who">{user?.email}</span>, disabled: true },
            { type: 'divider' },
            { key: 'account', icon: <UserOutlined />, label: <Link to={paths.account}>{t('account.title')}</Link> },
            { key: 'sessions', icon: <DesktopOutlined />, label: <Link to={paths.sessions}>{t('sessions.title')}</Link> },
            ...(mayUseKeys ? [{ key: 'keys', icon: <KeyOutlined />, label: <Link to={paths.keys}>{t('keys.title')}</Link> }] : []),
            { type: 'divider' },
            { key: 'logout', icon: <LogoutOutlined />, label: t('header.logout'), onClick: () => void logout() },
          ],
        }}
      >
        <Button type="text" icon={<UserOutlined />} aria-label={t('header.user')} />
      </Dropdown>
    </div>
  )
}
