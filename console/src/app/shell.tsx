import {
  CloudServerOutlined, DashboardOutlined, DatabaseOutlined, DownloadOutlined, MenuOutlined, MessageOutlined,
  SearchOutlined, UnorderedListOutlined,
} from '@ant-design/icons'
import { Button, Drawer, Grid, Layout, Menu, Spin } from 'antd'
import { Suspense, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, Outlet, useLocation } from 'react-router'

import { HeaderTools } from '@/app/header-tools'
import { paths } from '@/config/paths'
import { useDeploymentsInfiniteQuery } from '@/features/deployments/api'
import { useDownloadsInfiniteQuery } from '@/features/downloads/api'

const PLACES = [
  { path: paths.overview, key: 'overview', icon: <DashboardOutlined /> },
  { path: paths.search, key: 'search', icon: <SearchOutlined /> },
  { path: paths.downloads, key: 'downloads', icon: <DownloadOutlined /> },
  { path: paths.library, key: 'library', icon: <DatabaseOutlined /> },
  { path: paths.deployments, key: 'deployments', icon: <CloudServerOutlined /> },
  { path: paths.chat, key: 'chat', icon: <MessageOutlined /> },
  { path: paths.jobs, key: 'jobs', icon: <UnorderedListOutlined /> },
]

/** How many downloads are under way. Following both lists here keeps them, and the library, true on every page. */
function useUnderWay(): number {
  useDeploymentsInfiniteQuery()
  const { data } = useDownloadsInfiniteQuery()
  const items = data?.pages.flatMap((page) => page.items) ?? []
  return items.filter(({ status }) => status === 'pending' || status === 'downloading').length
}

function Navigation({ underWay }: { underWay: number }) {
  const { t } = useTranslation()
  const { pathname } = useLocation()
  const here = PLACES.find(({ path }) => path !== '/' && pathname.startsWith(path)) ?? PLACES[0]
  return (
    <nav aria-label={t('nav.label')}>
      <Menu
        mode="inline"
        selectedKeys={here ? [here.key] : []}
        items={PLACES.map(({ path, key, icon }) => ({
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
        }))}
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
  const [open, setOpen] = useState(false)
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
              <Button type="text" icon={<MenuOutlined />} aria-label={t('nav.open')} onClick={() => setOpen(true)} />
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
        open={open && !wide}
        onClose={() => setOpen(false)}
        placement="left"
        size={260}
        title="ModelHub"
        styles={{ body: { padding: 8 } }}
      >
        <div onClick={() => setOpen(false)}>
          <Navigation underWay={underWay} />
        </div>
      </Drawer>
    </Layout>
  )
}
