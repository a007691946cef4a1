import { DownloadOutlined } from '@ant-design/icons'
import { Flex, Input, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

/** A name to pull. Ollama's library cannot be searched by programs, so it has to be known. */
export function PullBox({ onPull }: { onPull: (name: string) => Promise<unknown> }) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [busy, setBusy] = useState(false)
  const pull = async () => {
    if (!name.trim()) return
    setBusy(true)
    try {
      await onPull(name.trim())
    } finally {
      setBusy(false)
    }
  }
  return (
    <Flex vertical gap={4}>
      <Input.Search
        aria-label={t('ollama.pullName')}
        placeholder="llama3.2:1b"
        value={name}
        onChange={(event) => setName(event.target.value)}
        onSearch={() => void pull()}
        loading={busy}
        enterButton={<><DownloadOutlined /> {t('ollama.pull')}</>}
      />
      <Typography.Text type="secondary">
        {t('ollama.pullHint')} <a href="https://ollama.com/library" target="_blank" rel="noreferrer">ollama.com/library</a>
      </Typography.Text>
    </Flex>
  )
}
