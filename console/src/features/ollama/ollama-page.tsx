import { ReloadOutlined, ThunderboltOutlined } from '@ant-design/icons'
import { Alert, Button, Flex, Skeleton, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { Page } from '@/components/page'
import { useMay } from '@/lib/hooks'

import { useOllamaQuery } from './api'
import { CreateDialog } from './create-dialog'
import { ModelDrawer } from './model-drawer'
import { OllamaRow } from './ollama-row'
import { PullBox } from './pull-box'

/** The Ollama server beside the hub: what it holds, what it runs, and what can be done with it. */
export function OllamaPage({ onPull }: { onPull: (name: string) => Promise<unknown> }) {
  const { t } = useTranslation()
  const status = useOllamaQuery(undefined, { pollingInterval: 5000, skipPollingIfUnfocused: true })
  const [shown, setShown] = useState<string | null>(null)
  const [creating, setCreating] = useState(false)
  const mayManage = useMay('ollama.manage')
  const mayPull = useMay('downloads.write')
  const { data } = status
  const running = new Map(data?.running.map((item) => [item.name, item]))
  const hint = data?.reachable ? t('ollama.at', { version: data.version, host: data.host }) : t('ollama.hint')

  return (
    <Page
      title={t('nav.ollama')}
      hint={hint}
      actions={
        mayManage && data?.reachable && (
          <Button icon={<ThunderboltOutlined />} onClick={() => setCreating(true)}>{t('ollama.create')}</Button>
        )
      }
    >
      {status.isError && <ErrorNote error={status.error} retry={() => void status.refetch()} />}
      {status.isLoading && <Skeleton active paragraph={{ rows: 5 }} aria-label={t('common.loading')} />}
      {data && !data.reachable && (
        <Alert
          type="warning"
          showIcon
          title={data.error?.message}
          description={t('ollama.away')}
          action={
            <Button size="small" icon={<ReloadOutlined />} loading={status.isFetching} onClick={() => void status.refetch()}>
              {t('actions.retry')}
            </Button>
          }
        />
      )}
      {data?.warnings.map((warning) => <Alert key={warning} type="warning" showIcon title={warning} className="row-alert" />)}
      {data?.reachable && mayPull && <PullBox onPull={onPull} />}
      {data?.reachable && data.models.length === 0 && <EmptyState title={t('ollama.none')} hint={t('ollama.noneHint')} />}
      {data && data.models.length > 0 && (
        <ul className="rows" aria-label={t('ollama.models')}>
          {data.models.map((model) => (
            <OllamaRow key={model.name} model={model} loaded={running.get(model.name)} onOpen={() => setShown(model.name)} />
          ))}
        </ul>
      )}
      {data && data.running.length > 0 && (
        <Flex gap={8} wrap align="center">
          {t('ollama.running')}
          {data.running.map(({ name }) => <Tag key={name} color="success">{name}</Tag>)}
        </Flex>
      )}
      {shown && <ModelDrawer name={shown} onClose={() => setShown(null)} />}
      {creating && <CreateDialog onClose={() => setCreating(false)} held={data?.models.map(({ name }) => name) ?? []} />}
    </Page>
  )
}
