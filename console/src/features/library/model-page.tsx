import { Alert, Breadcrumb, Card, Descriptions, Empty, Flex, Skeleton, Table, Tabs, Tag, Typography } from 'antd'
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
import { useDates } from '@/lib/hooks'
import type { Model } from '@/types'

import { useModelCardQuery, useModelQuery } from './api'
import { ModelActions } from './model-actions'

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
        {model.warnings.map((warning) => <Alert key={warning} type="warning" showIcon title={warning} className="row-alert" />)}
        <Card>
          <Tabs
            items={[
              { key: 'card', label: t('model.card'), children: <ModelCard id={id} /> },
              { key: 'facts', label: t('model.facts'), children: <Facts model={model} /> },
              { key: 'files', label: t('model.filesCount', { count: model.files.length }), children: <Files model={model} /> },
            ]}
          />
        </Card>
      </Page>
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
