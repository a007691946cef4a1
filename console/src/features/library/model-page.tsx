import { SyncOutlined } from '@ant-design/icons'
import { Alert, Breadcrumb, Button, Card, Descriptions, Empty, Flex, Skeleton, Table, Tabs, Tag, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { Link, useNavigate } from 'react-router'

import { CopyButton } from '@/components/copy-button'
import { ErrorNote } from '@/components/error-note'
import { Markdown, withoutFrontMatter } from '@/components/markdown'
import { Page } from '@/components/page'
import { VisibilityTag } from '@/components/sharing/visibility-tag'
import { paths } from '@/config/paths'
import { bytes, count, originOf } from '@/lib/format'
import { useDates, useMay, useMayChange } from '@/lib/hooks'
import type { Model } from '@/types'

import { useCheckModelMutation, useModelCardQuery, useModelQuery } from './api'
import { IntakeAlerts } from './intake-alerts'
import { ModelActions } from './model-actions'
import { NewerAlert } from './newer'
import { Offload } from './offload'
import { Versions } from './versions'

interface Props {
  id: string
  onDeploy: (model: Model) => void
}

export function ModelPage({ id, onDeploy }: Props) {
  const { t } = useTranslation()
  const navigate = useNavigate()
  const { data: model, error, isError, refetch } = useModelQuery(id)
  if (isError && !model) return <ErrorNote error={error} retry={() => void refetch()} />
  if (!model) return <Skeleton active paragraph={{ rows: 8 }} aria-label={t('common.loading')} />
  return (
    <>
      <Breadcrumb items={[{ title: <Link to={paths.library}>{t('nav.library')}</Link> }, { title: model.name }]} />
      <Page
        name={model.name}
        title={<>{model.name} <Tag>{t(`kind.${model.kind}`)}</Tag> <VisibilityTag thing={model} /></>}
        hint={originOf(model)}
        actions={
          <ModelActions model={model} onDeploy={onDeploy} onDeleted={() => void navigate(paths.library)} />
        }
      >
        {model.description && <Markdown text={model.description} />}
        <NewerAlert model={model} onUpdating={() => void navigate(paths.downloads)} />
        <IntakeAlerts model={model} />
        {model.warnings.map((warning) => <Alert key={warning} type="warning" showIcon title={warning} className="row-alert" />)}
        <Card>
          <Tabs
            items={[
              { key: 'card', label: t('model.card'), children: <ModelCard id={id} /> },
              { key: 'facts', label: t('model.facts'), children: <Facts model={model} /> },
              { key: 'versions', label: t('versions.title'), children: <><Upkeep model={model} /><Versions model={model} /></> },
              { key: 'files', label: t('model.filesCount', { count: model.file_count }), children: <Files model={model} /> },
            ]}
          />
        </Card>
      </Page>
    </>
  )
}

/** Looking for something newer, and where the files lie: for who may change the model. */
function Upkeep({ model }: { model: Model }) {
  const { t } = useTranslation()
  const dates = useDates()
  const mayWrite = useMay('models.write')
  const mayChange = useMayChange(model) && mayWrite
  const [check, { isLoading, error, data }] = useCheckModelMutation()
  if (!mayChange) return null
  return (
    <>
      <Flex gap={8} wrap align="center" className="row-alert">
        <Button icon={<SyncOutlined />} loading={isLoading} onClick={() => void check(model.id)}>{t('newer.check')}</Button>
        <Offload model={model} />
        {data && !data.newer && <span>{t('newer.none')}</span>}
        {!data && model.checked_at && <span>{t('newer.checked', { when: dates.ago(model.checked_at) })}</span>}
      </Flex>
      {error && <ErrorNote error={error} />}
    </>
  )
}

function ModelCard({ id }: { id: string }) {
  const { t } = useTranslation()
  const { data, error, isError, refetch } = useModelCardQuery(id)
  if (isError) return <ErrorNote error={error} retry={() => void refetch()} />
  if (data === undefined) return <Skeleton active />
  const text = withoutFrontMatter(data).trim()
  return text ? <Markdown text={text} /> : <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('model.noCard')} />
}

function Facts({ model }: { model: Model }) {
  const { t } = useTranslation()
  const dates = useDates()
  const copyable = (text: string) => (
    <Flex align="center" gap={4}>
      <Typography.Text code className="breakable">{text}</Typography.Text>
      <CopyButton text={text} />
    </Flex>
  )
  const facts: [string, ReactNode][] = [
    ['source', `${model.source} · ${model.ref}`],
    ['revision', model.revision],
    ['commit', model.commit && copyable(model.commit)],
    ['size', bytes(model.size)],
    ['parameters', model.parameters === null ? null : `${count(model.parameters)} (${model.parameters.toLocaleString('en')})`],
    ['architecture', model.architecture],
    ['context', model.context_length?.toLocaleString('en')],
    ['dtype', model.dtype],
    ['quantization', model.quantization],
    ['license', model.license],
    ['tags', model.tags.length > 0 && <Flex gap={4} wrap>{model.tags.map((tag) => <Tag key={tag}>{tag}</Tag>)}</Flex>],
    ['path', model.path && copyable(model.path)],
    ['added', dates.moment(model.created_at)],
  ]
  return (
    <Descriptions
      bordered
      size="small"
      column={1}
      items={facts.filter(([, value]) => value).map(([key, children]) => ({ key, label: t(`model.${key}`), children }))}
    />
  )
}

function Files({ model }: { model: Model }) {
  const { t } = useTranslation()
  const many = model.files.length > 100
  return (
    <Table
      size="small"
      rowKey="path"
      pagination={false}
      virtual={many}
      scroll={{ x: 560, y: many ? 480 : undefined }}
      dataSource={model.files}
      columns={[
        { title: t('model.file'), dataIndex: 'path', className: 'file-path' },
        { title: t('model.size'), dataIndex: 'size', width: 110, align: 'right', render: (size: number) => bytes(size) },
        {
          title: 'SHA-256', dataIndex: 'sha256', width: 170,
          render: (sum: string | null) =>
            sum && <span className="sum"><code title={sum}>{sum.slice(0, 12)}…</code><CopyButton text={sum} /></span>,
        },
      ]}
    />
  )
}
