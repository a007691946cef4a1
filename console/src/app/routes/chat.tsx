import { useParams, useSearchParams } from 'react-router'

import { ChatPage } from '@/features/chat/chat-page'
import { useDeploymentsInfiniteQuery } from '@/features/deployments/api'

export function ChatRoute() {
  const { id } = useParams()
  const [params] = useSearchParams()
  const list = useDeploymentsInfiniteQuery()
  const deployments = list.data?.pages.flatMap((page) => page.items)
  return (
    <ChatPage
      sessionId={id}
      deployments={deployments ?? (list.isError ? [] : undefined)}
      preferred={params.get('deployment') ?? undefined}
    />
  )
}
