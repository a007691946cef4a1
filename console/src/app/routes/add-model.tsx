import { useNavigate } from 'react-router'

import { paths } from '@/config/paths'
import { AddModelPage } from '@/features/add-model/add-model-page'
import { useStartDownloadMutation } from '@/features/downloads/api'
import type { DownloadRequest } from '@/types'

export function AddModelRoute() {
  const [start] = useStartDownloadMutation()
  const navigate = useNavigate()
  const onStart = async (request: DownloadRequest) => {
    const answer = await start(request)
    if (answer.error) return answer.error
    void navigate(paths.downloads)
  }
  return <AddModelPage onStart={onStart} onUploaded={() => void navigate(paths.downloads)} />
}
