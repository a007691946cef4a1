import { Descriptions, Drawer, Skeleton, Tabs } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { count } from '@/lib/format'
import type { OllamaShown } from '@/types'

import { useOllamaModelQuery } from './api'

/** One model as the server describes it. */
export function ModelDrawer({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useTranslation()
  const { data, error, isError, refetch } = useOllamaModelQuery(name)
  const text = (key: 'settings' | 'template' | 'license' | 'modelfile') =>
    data?.[key] ? [{ key, label: t(`ollama.${key}`), children: <pre className="breakable">{data[key]}</pre> }] : []
  return (
    <Drawer open onClose={onClose} size="min(720px, 100vw)" title={<span className="drawer-title">{name}</span>}>
      {isError && <ErrorNote error={error} retry={() => void refetch()} />}
      {!data && !isError && <Skeleton active aria-label={t('common.loading')} />}
      {data && (
        <Tabs
          items={[
            { key: 'facts', label: t('model.facts'), children: <Facts model={data} /> },
            ...text('settings'), ...text('template'), ...text('license'), ...text('modelfile'),
          ]}
        />
      )}
    </Drawer>
  )
}

function Facts({ model }: { model: OllamaShown }) {
  const { t } = useTranslation()
  const facts: [string, ReactNode][] = [
    [t('ollama.format'), model.format],
    [t('ollama.family'), model.family],
    [t('model.parameters'), model.parameters === null ? model.parameter_size : count(model.parameters)],
    [t('model.quantization'), model.quantization],
    [t('model.context'), model.context_length?.toLocaleString('en')],
    [t('ollama.capabilities'), model.capabilities.join(', ')],
    [t('ollama.parent'), model.parent],
  ]
  return (
    <Descriptions
      bordered
      size="small"
      column={1}
      items={facts.filter(([, value]) => value).map(([label, children]) => ({ key: label, label, children }))}
    />
  )
}
