import { useNavigate } from 'react-router'

import { paths } from '@/config/paths'
import { useStartDownloadMutation } from '@/features/downloads/api'
import { OllamaPage } from '@/features/ollama/ollama-page'

export function OllamaRoute() {
  const [start] = useStartDownloadMutation()
  const navigate = useNavigate()
  const onPull = async (name: string) => {
    const answer = await start({ source: 'ollama', ref: name })
    if (!answer.error) void navigate(paths.downloads)
  }
  return <OllamaPage onPull={onPull} />
}
