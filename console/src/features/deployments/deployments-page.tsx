import { DatabaseOutlined } from '@ant-design/icons'
import { Skeleton } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LinkButton } from '@/components/link-button'
import { LoadMore } from '@/components/load-more'
import { Page } from '@/components/page'
import { paths } from '@/config/paths'
import type { Deployment } from '@/types'

import { useDeploymentsInfiniteQuery } from './api'
import { ConnectDrawer } from './connect-drawer'
import { DeploymentRow } from './deployment-row'
import { LogDrawer } from './log-drawer'

interface Props {
  /** Opens a conversation with a deployment. */
  onChat: (deployment: Deployment) => void
}

export function DeploymentsPage({ onChat }: Props) {
  const { t } = useTranslation()
  const list = useDeploymentsInfiniteQuery()
  const [logsOf, setLogsOf] = useState<Deployment | null>(null)
  const [connecting, setConnecting] = useState<Deployment | null>(null)
  const items = list.data?.pages.flatMap((page) => page.items) ?? []
  const library = (
    <LinkButton to={paths.library} type={items.length === 0 ? 'primary' : 'default'} icon={<DatabaseOutlined />}>
      {t('deployments.choose')}
    </LinkButton>
  )
  return (
    <Page title={t('nav.deployments')} hint={t('deployments.hint')} actions={items.length > 0 && library}>
      {list.isError && <ErrorNote error={list.error} retry={() => void list.refetch()} />}
      {list.isLoading && <Skeleton active paragraph={{ rows: 6 }} aria-label={t('common.loading')} />}
      {list.data && items.length === 0 && (
        <EmptyState title={t('deployments.none')} hint={t('deployments.noneHint')}>{library}</EmptyState>
      )}
      {items.length > 0 && (
        <ul className="rows" aria-label={t('nav.deployments')}>
          {items.map((item) => (
            <DeploymentRow key={item.id} deployment={item} onLogs={setLogsOf} onConnect={setConnecting} onChat={onChat} />
          ))}
        </ul>
      )}
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      {logsOf && <LogDrawer deployment={logsOf} onClose={() => setLogsOf(null)} />}
      {connecting && <ConnectDrawer deployment={connecting} onClose={() => setConnecting(null)} />}
    </Page>
  )
}
