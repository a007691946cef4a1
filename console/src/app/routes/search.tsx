import { useNavigate } from 'react-router'

import { paths } from '@/config/paths'
import { useStartDownloadMutation } from '@/features/downloads/api'
import { SearchPage } from '@/features/search/search-page'
import type { DownloadRequest } from '@/types'

export function SearchRoute() {
  const [start] = useStartDownloadMutation()
  const navigate = useNavigate()
  const onDownload = async (request: DownloadRequest) => {
    const answer = await start(request)
    if (!answer.error) void navigate(paths.downloads)
  }
  return <SearchPage onDownload={onDownload} />
}
