import { CopyOutlined, DatabaseOutlined, FolderOpenOutlined } from '@ant-design/icons'
import { Alert, Button, Flex, Input, Skeleton, Tag, Typography } from 'antd'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'

import { EmptyState } from '@/components/empty-state'
import { ErrorNote } from '@/components/error-note'
import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'
import { bytes } from '@/lib/format'
import type { DownloadRequest, FolderModel } from '@/types'

import { useScanFoldersQuery } from './api'

interface Props {
  onStart: (request: DownloadRequest) => Promise<unknown>
}

/** Models that lie on the hub's machine already: used where they are, or copied. */
export function FolderTab({ onStart }: Props) {
  const { t } = useTranslation()
  const [path, setPath] = useState('')
  const scan = useScanFoldersQuery(path)
  const [failure, setFailure] = useState<unknown>()
  const [busy, setBusy] = useState('')
  const start = async (found: FolderModel, mode: 'adopt' | 'copy') => {
    setBusy(found.path + mode)
    setFailure(await onStart({ source: 'folder', ref: found.path, options: { mode } }))
    setBusy('')
  }
  const data = scan.currentData
  return (
    <Flex vertical gap={16}>
      <Typography.Text type="secondary">{t('add.folderHint')}</Typography.Text>
      <Input.Search
        className="narrow"
        aria-label={t('add.folderPath')}
        placeholder={data?.folders[0] ?? '/data/models'}
        enterButton={t('add.scan')}
        loading={scan.isFetching}
        allowClear
        onSearch={(text) => (text.trim() === path ? void scan.refetch() : setPath(text.trim()))}
      />
      {failure !== undefined && <ErrorNote error={failure} />}
      {scan.isError && !scan.isFetching && <ErrorNote error={scan.error} retry={() => void scan.refetch()} />}
      {scan.isFetching && !data && <Skeleton active paragraph={{ rows: 4 }} aria-label={t('common.loading')} />}
      {data?.truncated && <Alert type="warning" showIcon title={t('add.truncated')} />}
      {data && data.found.length === 0 && (
        <EmptyState
          title={data.folders.length > 0 ? t('add.nothing') : t('add.noFolders')}
          hint={data.folders.length > 0 ? data.folders.join(', ') : t('add.noFoldersHint')}
        />
      )}
      {data && data.found.length > 0 && (
        <ul className="rows" aria-label={t('add.found')}>
          {data.found.map((found) => <Row key={found.path} found={found} busy={busy} onStart={start} />)}
        </ul>
      )}
    </Flex>
  )
}

function Row({ found, busy, onStart }: {
  found: FolderModel
  busy: string
  onStart: (found: FolderModel, mode: 'adopt' | 'copy') => Promise<void>
}) {
  const { t } = useTranslation()
  return (
    <li className="row" aria-label={found.name}>
      <Flex justify="space-between" gap={12} wrap align="center">
        <div className="row-main">
          <div className="row-title">
            {found.name} <Tag>{t(`kind.${found.kind}`)}</Tag> <Tag>{t(`add.layout.${found.layout}`)}</Tag>
          </div>
          <div className="row-sub">{found.path}</div>
          <div className="facts">
            <span>{bytes(found.size)}</span>
            <span>{t('add.filesCount', { count: found.files.length })}</span>
            {found.revision !== 'local' && <span>{found.revision}</span>}
          </div>
        </div>
        <Flex gap={8} wrap className="row-actions">
          {found.model_id
            ? <LinkButton to={paths.model(found.model_id)} icon={<DatabaseOutlined />}>{t('downloads.open')}</LinkButton>
            : (
              <>
                {found.adoptable && (
                  <Button
                    type="primary"
                    icon={<FolderOpenOutlined />}
                    loading={busy === `${found.path}adopt`}
                    title={t('add.adoptHint')}
                    aria-label={t('add.adoptName', { name: found.name })}
                    onClick={() => void onStart(found, 'adopt')}
                  >
                    {t('add.adopt')}
                  </Button>
                )}
                <Button
                  icon={<CopyOutlined />}
                  loading={busy === `${found.path}copy`}
                  title={t('add.copyHint')}
                  aria-label={t('add.copyName', { name: found.name })}
                  onClick={() => void onStart(found, 'copy')}
                >
                  {t('add.copy')}
                </Button>
              </>
            )}
        </Flex>
      </Flex>
    </li>
  )
}
