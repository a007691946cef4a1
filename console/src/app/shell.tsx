import {
  ApiOutlined, AuditOutlined, BugOutlined, CloudServerOutlined, DashboardOutlined, DatabaseOutlined, DownloadOutlined, HddOutlined, MenuOutlined, MessageOutlined, PlusOutlined,
  SafetyCertificateOutlined, SearchOutlined, SettingOutlined, ShopOutlined, TeamOutlined, UnorderedListOutlined, UserOutlined,
} from '@ant-design/icons'
import { Button, Drawer, Grid, Layout, Menu, Spin } from 'antd'
import { type ReactNode, Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useLocation } from 'react-router'

import { HeaderTools } from '@/app/header-tools'
import { paths } from '@/config/paths'
import { useDeploymentsInfiniteQuery } from '@/features/deployments/api'
import { useDownloadsInfiniteQuery } from '@/features/downloads/api'
import { useAuth, useMay } from '@/lib/hooks'
import type { PermissionName } from '@/lib/permissions'
import type { Profile } from '@/types'

interface Place {
  key: string
  path: string
  icon: ReactNode
  /** Shown to who holds it; none: to everybody. */
  needs?: PermissionName
}

const PLACES: Place[] = [
  { path: paths.overview, key: 'overview', icon: <DashboardOutlined /> },
  { path: paths.search, key: 'search', icon: <SearchOutlined />, needs: 'models.read' },
  { path: paths.add, key: 'add', icon: <PlusOutlined />, needs: 'downloads.write' },
  { path: paths.downloads, key: 'downloads', icon: <DownloadOutlined />, needs: 'downloads.read' },
  { path: paths.library, key: 'library', icon: <DatabaseOutlined />, needs: 'models.read' },
  { path: paths.store, key: 'store', icon: <ShopOutlined />, needs: 'models.read' },
  { path: paths.storage, key: 'storage', icon: <HddOutlined />, needs: 'models.read' },
  { path: paths.ollama, key: 'ollama', icon: <ApiOutlined />, needs: 'models.read' },
  { path: paths.deployments, key: 'deployments', icon: <CloudServerOutlined />, needs: 'deployments.read' },
  { path: paths.chat, key: 'chat', icon: <MessageOutlined />, needs: 'chat.use' },
  { path: paths.jobs, key: 'jobs', icon: <UnorderedListOutlined />, needs: 'jobs.read' },
]

const OFFICE: Place[] = [
  { path: paths.users, key: 'users', icon: <UserOutlined />, needs: 'users.read' },
  { path: paths.teams, key: 'teams', icon: <TeamOutlined />, needs: 'teams.manage' },
  { path: paths.roles, key: 'roles', icon: <SafetyCertificateOutlined />, needs: 'users.read' },
  { path: paths.quarantine, key: 'quarantine', icon: <BugOutlined />, needs: 'intake.release' },
  { path: paths.settings, key: 'settings', icon: <SettingOutlined />, needs: 'settings.manage' },
  { path: paths.audit, key: 'audit', icon: <AuditOutlined />, needs: 'audit.read' },
]

/** Invitations and lock-outs are tabs of the users' page. */
const WITHIN: Record<string, string> = { [paths.invites]: 'users', [paths.lockouts]: 'users' }

const open = (user: Profile | null) => ({ key, needs }: Place) =>
  !needs || user?.permissions.includes(needs) || (key === 'teams' && user?.teams.length)

/** How many downloads are under way. Following both lists here keeps them, and the library, true on every page. */
function useUnderWay(): number {
  useDeploymentsInfiniteQuery(undefined, { skip: !useMay('deployments.read') })
  const { data } = useDownloadsInfiniteQuery(undefined, { skip: !useMay('downloads.read') })
  const items = data?.pages.flatMap((page) => page.items) ?? []
  return items.filter(({ status }) => status === 'pending' || status === 'held' || status === 'downloading').length
}

function Navigation({ underWay }: { underWay: number }) {
  const { t } = useTranslation()
  const { pathname } = useLocation()
  const { user } = useAuth()
  const places = PLACES.filter(open(user))
  const office = OFFICE.filter(open(user))
  const here = WITHIN[pathname] ?? [...places, ...office].find(({ path }) => path !== '/' && pathname.startsWith(path))?.key
  const item = ({ path, key, icon }: Place) => ({
    key,
    icon,
    label: (
      <Link to={path}>
        {t(`nav.${key}`)}
        {key === 'downloads' && underWay > 0 && (
          <span className="nav-count" title={t('nav.underWay', { count: underWay })}>{underWay}</span>
        )}
      </Link>
    ),
  })
  return (
    <nav aria-label={t('nav.label')}>
      <Menu
        mode="inline"
        selectedKeys={[here ?? (pathname === '/' ? 'overview' : '')]}
        items={[
          ...places.map(item),
          ...(office.length > 0 ? [{ key: 'office', type: 'group' as const, label: t('nav.office'), children: office.map(item) }] : []),
        ]}
      />
    </nav>
  )
}

function Brand() {
  return (
    <Link to={paths.overview} className="brand">
      <img src="/favicon.svg" alt="" width={26} height={26} />
      <span>ModelHub</span>
    </Link>
  )
}

/** The frame: places on the left (a drawer on small screens), tools on top, the page below. */
export function Shell() {
  const { t } = useTranslation()
  const wide = Grid.useBreakpoint().lg ?? window.innerWidth >= 992
  const [opened, setOpened] = useState(false)
  const { pathname } = useLocation()
  const underWay = useUnderWay()

  return (
    <Layout className="shell">
      <a className="skip" href="#content">{t('nav.skip')}</a>
      {wide && (
        <Layout.Sider width={216} className="side">
          <Brand />
          <Navigation underWay={underWay} />
        </Layout.Sider>
      )}
      <Layout>
        <Layout.Header className="top">
          {!wide && (
            <>
              <Button type="text" icon={<MenuOutlined />} aria-label={t('nav.open')} onClick={() => setOpened(true)} />
              <Brand />
            </>
          )}
          <HeaderTools />
        </Layout.Header>
        <Layout.Content id="content" className="content" role="main">
          <Suspense fallback={<Spin className="centre" />}>
            <Outlet />
          </Suspense>
        </Layout.Content>
      </Layout>
      <Drawer
        key={pathname}
        open={opened && !wide}
        onClose={() => setOpened(false)}
        placement="left"
        size={260}
        title="ModelHub"
        styles={{ body: { padding: 8 } }}
      >
        <div onClick={() => setOpened(false)}>
          <Navigation underWay={underWay} />
        </div>
      </Drawer>
    </Layout>
  )
}
