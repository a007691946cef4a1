import { useNavigate } from 'react-router'

import { paths } from '@/config/paths'
import { useSessionsInfiniteQuery } from '@/features/chat/api'
import { useDeploymentsInfiniteQuery } from '@/features/deployments/api'
import { useDownloadsInfiniteQuery, useStartDownloadMutation } from '@/features/downloads/api'
import { useModelsInfiniteQuery } from '@/features/library/api'
import { OverviewPage } from '@/features/overview/overview-page'
import { useSearchInfiniteQuery, useSourcesQuery } from '@/features/search/api'
import { useMay } from '@/lib/hooks'
import type { Download, Page } from '@/types'

interface List<T> {
  data?: { pages: Page<T>[] }
  hasNextPage: boolean
}

const itemsOf = <T,>(list: List<T>) => list.data?.pages.flatMap((page) => page.items)

/** How many, or how many at least. */
function countOf<T>(list: List<T>, wanted: (item: T) => boolean = () => true): string | null {
  const items = itemsOf(list)
  return items ? `${items.filter(wanted).length}${list.hasNextPage ? '+' : ''}` : null
}

const busy = ({ status }: Download) => status === 'pending' || status === 'held' || status === 'downloading'

export function OverviewRoute() {
  const navigate = useNavigate()
  const maySee = {
    models: useMay('models.read'), downloads: useMay('downloads.read'), deployments: useMay('deployments.read'), chats: useMay('chat.use'),
  }
  const mayDo = [useMay('downloads.write'), useMay('deployments.write'), ...Object.values(maySee)].every(Boolean)
  const models = useModelsInfiniteQuery({}, { skip: !maySee.models })
  const downloads = useDownloadsInfiniteQuery(undefined, { skip: !maySee.downloads })
  const deployments = useDeploymentsInfiniteQuery(undefined, { skip: !maySee.deployments })
  const sessions = useSessionsInfiniteQuery(undefined, { skip: !maySee.chats })
  const hasStarter = useSourcesQuery(undefined, { skip: !mayDo }).data?.some(({ name }) => name === 'starter') ?? false
  const known = mayDo && [models, downloads, deployments, sessions].every(({ data }) => data)
  const hasModel = (itemsOf(models)?.length ?? 0) > 0
  const starter = itemsOf(useSearchInfiniteQuery({ source: 'starter' }, { skip: !hasStarter || !known || hasModel }))?.[0]
  const [start] = useStartDownloadMutation()

  const onMakeFirst = async () => {
    if (!starter) return
    const answer = await start({ source: 'starter', ref: starter.ref })
    if (!answer.error) void navigate(paths.downloads)
  }
  const counts = [
    { key: 'models', value: countOf(models) },
    { key: 'downloads', value: countOf(downloads, busy) },
    { key: 'deployments', value: countOf(deployments, ({ status }) => status === 'running') },
    { key: 'chats', value: countOf(sessions) },
  ] as const
  return (
    <OverviewPage
      counts={counts.filter(({ key }) => maySee[key])}
      progress={
        known
          ? {
              hasModel,
              bringing: itemsOf(downloads)?.some(busy) ?? false,
              hasDeployment: (itemsOf(deployments)?.length ?? 0) > 0,
              hasChat: (itemsOf(sessions)?.length ?? 0) > 0,
              starter: Boolean(starter),
            }
          : null
      }
      onMakeFirst={onMakeFirst}
    />
  )
}
