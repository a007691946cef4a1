import { DeleteOutlined, DiffOutlined } from '@ant-design/icons'
import { Button, Empty, Flex, Modal, Popconfirm, Skeleton, Tag } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ErrorNote } from '@/components/error-note'
import { LoadMore } from '@/components/load-more'
import { bytes } from '@/lib/format'
import { useDates, useMay, useMayChange } from '@/lib/hooks'
import type { Model, ModelVersion } from '@/types'

import { useActivateVersionMutation, useDeleteVersionMutation, useModelVersionsInfiniteQuery, useVersionDiffQuery } from './api'

/** Every set of files the model was brought in as, the newest first. */
export function Versions({ model }: { model: Model }) {
  const { t } = useTranslation()
  const list = useModelVersionsInfiniteQuery(model.id)
  const [compared, setCompared] = useState<ModelVersion | null>(null)
  const items = list.currentData?.pages.flatMap((page) => page.items) ?? []
  if (list.isError) return <ErrorNote error={list.error} retry={() => void list.refetch()} />
  if (!list.currentData) return <Skeleton active />
  return (
    <>
      <ul className="rows" aria-label={t('versions.title')}>
        {items.map((version) => <VersionRow key={version.id} model={model} version={version} onCompare={() => setCompared(version)} />)}
      </ul>
      <LoadMore more={list.hasNextPage} loading={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />
      {compared && model.active_version_id && (
        <Modal open footer={null} title={t('versions.compareTitle', { commit: compared.commit.slice(0, 12) })} onCancel={() => setCompared(null)}>
          <Diff id={model.id} a={compared.id} b={model.active_version_id} />
        </Modal>
      )}
    </>
  )
}

function VersionRow({ model, version, onCompare }: { model: Model; version: ModelVersion; onCompare: () => void }) {
  const { t } = useTranslation()
  const dates = useDates()
  const mayWrite = useMay('models.write')
  const mayChange = useMayChange(model) && mayWrite
  const [activate, activating] = useActivateVersionMutation()
  const [remove, removing] = useDeleteVersionMutation()
  const commit = version.commit.slice(0, 12)
  const error = activating.error ?? removing.error
  return (
    <li className="row" aria-label={commit}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            <code>{commit}</code> {version.active && <Tag color="green">{t('versions.active')}</Tag>}
            {version.offloaded && <Tag>{t('library.offloaded')}</Tag>}
          </div>
          <div className="facts">
            <span>{version.revision}</span>
            <span>{bytes(version.size)}</span>
            <span>{t('model.filesCount', { count: version.file_count })}</span>
            <span title={dates.moment(version.created_at)}>{dates.ago(version.created_at)}</span>
            {version.deployments.length > 0 && <span>{t('versions.runBy', { names: version.deployments.join(', ') })}</span>}
          </div>
        </div>
        {!version.active && (
          <Flex gap={8} className="row-actions">
            <Button type="text" icon={<DiffOutlined />} title={t('versions.compare')} aria-label={t('versions.compareName', { commit })} onClick={onCompare} />
            {mayChange && (
              <>
                <Button
                  loading={activating.isLoading}
                  aria-label={t('versions.activateName', { commit })}
                  onClick={() => void activate({ id: model.id, version: version.id })}
                >
                  {t('versions.activate')}
                </Button>
                <Popconfirm title={t('versions.deleteAsk')} okText={t('library.delete')} onConfirm={() => void remove({ id: model.id, version: version.id })}>
                  <Button type="text" danger icon={<DeleteOutlined />} loading={removing.isLoading} aria-label={t('versions.deleteName', { commit })} />
                </Popconfirm>
              </>
            )}
          </Flex>
        )}
      </Flex>
      {error && <ErrorNote error={error} />}
    </li>
  )
}

function Diff({ id, a, b }: { id: string; a: string; b: string }) {
  const { t } = useTranslation()
  const { data, error, isError } = useVersionDiffQuery({ id, a, b })
  if (isError) return <ErrorNote error={error} />
  if (!data) return <Skeleton active />
  const nothing = data.added.length + data.removed.length + data.changed.length === 0
  return (
    <>
      {nothing && <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={t('versions.noDifference')} />}
      <ul className="diff" aria-label={t('versions.compare')}>
        {data.added.map(({ path, size }) => <li key={path} className="diff-added"><code>+ {path}</code> {bytes(size)}</li>)}
        {data.removed.map(({ path, size }) => <li key={path} className="diff-removed"><code>− {path}</code> {bytes(size)}</li>)}
        {data.changed.map((file) => (
          <li key={file.path} className="diff-changed"><code>~ {file.path}</code> {bytes(file.a)} → {bytes(file.b)}</li>
        ))}
      </ul>
      <p>{t('versions.same', { count: data.same.length })}</p>
    </>
  )
}
