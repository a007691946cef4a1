import { useParams, useSearchParams } from 'react-router'

import { ChatPage } from '@/features/chat/chat-page'
import { useDeploymentsInfiniteQuery } from '@/features/deployments/api'
import { useMay } from '@/lib/hooks'

export function ChatRoute() {
  const { id } = useParams()
  const [params] = useSearchParams()
  const maySee = useMay('deployments.read')
  const list = useDeploymentsInfiniteQuery(undefined, { skip: !maySee })
  const deployments = list.data?.pages.flatMap((page) => page.items)
  return (
    <ChatPage
      sessionId={id}
      deployments={deployments ?? (list.isError || !maySee ? [] : undefined)}
      preferred={params.get('deployment') ?? undefined}
    />
  )
}
