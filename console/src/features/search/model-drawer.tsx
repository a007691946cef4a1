import { DownloadOutlined, LockOutlined } from '@ant-design/icons'
import { Alert, Button, Drawer, Empty, Flex, Select, Skeleton, Tabs, Tag, Typography } from 'antd'
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
import { CardFacts } from './card-facts'
import { FilePicker } from './file-picker'
import { firstChoice, requestFor, sizeOf } from './selection'
import { Variants } from './variants'

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
  const [globs, setGlobs] = useState<Pick<DownloadRequest, 'include' | 'exclude'>>()
  const [busy, setBusy] = useState(false)
  const [sharing, setSharing] = useState<Sharing>()
  const mayDownload = useMay('downloads.write')
  const data = model.currentData
  const selected = chosen ?? (data ? firstChoice(data) : new Set<string>())
  const request = data ? (globs ? byGlobs(data, globs) : requestFor(data, selected)) : null
  const choose = (paths: Set<string> | null, by?: { include: string[]; exclude: string[] }) => {
    setChosen(paths)
    setGlobs(by && by.include.length + by.exclude.length > 0 ? by : undefined)
  }

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
          <Head model={data} onRevision={(name) => { setRevision(name); choose(null) }} />
          {!request && selected.size > 0 && <Alert type="warning" showIcon title={t('search.tooScattered')} />}
          <Tabs
            items={[
              { key: 'card', label: t('model.card'), children: <Card model={data} /> },
              ...(data.variants.length > 0
                ? [{
                    key: 'variants',
                    label: t('search.variantsCount', { count: data.variants.length }),
                    children: <Variants variants={data.variants} chosen={selected} onChoose={choose} />,
                  }]
                : []),
              {
                key: 'files',
                label: t('model.filesCount', { count: data.files.length }),
                children: <FilePicker key={data.commit} model={data} chosen={selected} onChoose={choose} />,
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

function Card({ model: { card } }: { model: RemoteModel }) {
  const { t } = useTranslation()
  const body = withoutFrontMatter(card.text).trim()
  return (
    <>
      <CardFacts metadata={card.metadata} />
      {body ? <Markdown text={body} /> : <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('model.noCard')} />}
    </>
  )
}

/** The patterns themselves, so that an update takes what fits them then. */
const byGlobs = (model: RemoteModel, { include, exclude }: Pick<DownloadRequest, 'include' | 'exclude'>): DownloadRequest => ({
  source: model.source, ref: model.ref, revision: model.revision, include: include?.length ? include : ['*'], ...(exclude?.length && { exclude }),
})
