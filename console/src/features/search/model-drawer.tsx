import { DownloadOutlined, LockOutlined } from '@ant-design/icons'
import { Alert, Button, Drawer, Empty, Flex, Select, Skeleton, Table, Tabs, Tag, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { CopyButton } from '@/components/copy-button'
import { ErrorNote } from '@/components/error-note'
import { Markdown, withoutFrontMatter } from '@/components/markdown'
import { VisibilityPicker } from '@/components/sharing/visibility-picker'
import { bytes } from '@/lib/format'
import { useMay } from '@/lib/hooks'
import type { DownloadRequest, RemoteModel, Sharing } from '@/types'

import { useRemoteModelQuery } from './api'
import { requestFor, sizeOf } from './selection'

interface Props {
  source: string
  modelRef: string
  onClose: () => void
  onDownload: (request: DownloadRequest) => Promise<unknown>
}

/** One model as its source holds it: the card, the files to take, and the button that brings it home. */
export function ModelDrawer({ source, modelRef, onClose, onDownload }: Props) {
  const { t } = useTranslation()
  const [revision, setRevision] = useState<string>()
  const model = useRemoteModelQuery({ source, ref: modelRef, revision })
  const [chosen, setChosen] = useState<Set<string> | null>(null)
  const [busy, setBusy] = useState(false)
  const [sharing, setSharing] = useState<Sharing>()
  const mayDownload = useMay('downloads.write')
  const data = model.currentData
  const selected = chosen ?? new Set(data?.files.map(({ path }) => path))
  const request = data ? requestFor(data, selected) : null

  const download = async () => {
    if (!request) return
    setBusy(true)
    try {
      await onDownload({ ...request, ...sharing })
    } finally {
      setBusy(false)
    }
  }

  return (
    <Drawer
      open
      onClose={onClose}
      size="min(760px, 100vw)"
      title={<span className="drawer-title">{modelRef}</span>}
      extra={<CopyButton text={modelRef} label={t('search.copyRef')} />}
      footer={
        data && mayDownload && (
          <Flex justify="space-between" align="center" gap={12} wrap>
            <Typography.Text type="secondary">
              {t('search.selected', { count: selected.size, size: bytes(sizeOf(data, selected)) })}
            </Typography.Text>
            <VisibilityPicker className="visibility-picker" value={sharing} onChange={setSharing} />
            <Button
              type="primary"
              size="large"
              icon={<DownloadOutlined />}
              loading={busy}
              disabled={selected.size === 0 || !request}
              onClick={() => void download()}
            >
              {t('search.download')}
            </Button>
          </Flex>
        )
      }
    >
      {model.isError && !model.isFetching && <ErrorNote error={model.error} retry={() => void model.refetch()} />}
      {!data && !model.isError && <Skeleton active paragraph={{ rows: 8 }} aria-label={t('common.loading')} />}
      {data && (
        <>
          <Head model={data} onRevision={(name) => { setRevision(name); setChosen(null) }} />
          {!request && selected.size > 0 && <Alert type="warning" showIcon title={t('search.tooScattered')} />}
          <Tabs
            items={[
              { key: 'card', label: t('model.card'), children: <Card text={data.card.text} /> },
              {
                key: 'files',
                label: t('model.filesCount', { count: data.files.length }),
                children: <Files model={data} chosen={selected} onChoose={setChosen} />,
              },
            ]}
          />
        </>
      )}
    </Drawer>
  )
}

function Head({ model, onRevision }: { model: RemoteModel; onRevision: (name: string) => void }) {
  const { t } = useTranslation()
  const known = model.revisions.some(({ name }) => name === model.revision)
  const revisions = known ? model.revisions : [{ name: model.revision, kind: '', commit: model.commit }, ...model.revisions]
  return (
    <Flex gap={8} wrap align="center" className="drawer-head">
      <Typography.Text type="secondary">{t('model.revision')}</Typography.Text>
      <Select
        aria-label={t('model.revision')}
        className="revision"
        value={model.revision}
        showSearch
        options={revisions.map(({ name, kind }) => ({ value: name, label: kind ? `${name} · ${kind}` : name }))}
        onChange={onRevision}
      />
      {model.commit && <Typography.Text code title={model.commit}>{model.commit.slice(0, 10)}</Typography.Text>}
      <Tag>{bytes(model.size)}</Tag>
      {model.gated && <Tag icon={<LockOutlined />} color="warning">{t('search.gated')}</Tag>}
    </Flex>
  )
}

function Card({ text }: { text: string }) {
  const { t } = useTranslation()
  const body = withoutFrontMatter(text).trim()
  return body ? <Markdown text={body} /> : <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('model.noCard')} />
}

function Files({ model, chosen, onChoose }: {
  model: RemoteModel
  chosen: Set<string>
  onChoose: (paths: Set<string>) => void
}) {
  const { t } = useTranslation()
  const many = model.files.length > 100
  return (
    <Table
      size="small"
      rowKey="path"
      pagination={false}
      virtual={many}
      scroll={many ? { y: 480, x: 480 } : undefined}
      dataSource={model.files}
      rowSelection={{
        selectedRowKeys: [...chosen],
        onChange: (keys) => onChoose(new Set(keys.map(String))),
        getCheckboxProps: (file) => ({ 'aria-label': file.path }) as object,
      }}
      columns={[
        { title: t('model.file'), dataIndex: 'path', className: 'file-path' },
        { title: t('model.size'), dataIndex: 'size', width: 110, align: 'right', render: (size: number | null) => bytes(size) },
      ]}
    />
  )
}
