import { SearchOutlined } from '@ant-design/icons'
import { Tabs } from 'antd'
import { useTranslation } from 'react-i18next'
import { useSearchParams } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { LinkButton } from '@/components/link-button'
import { Page } from '@/components/page'
import { paths } from '@/config/paths'
import { useMay } from '@/lib/hooks'
import type { Download, DownloadRequest } from '@/types'

import { FolderTab } from './folder-tab'
import { UploadTab } from './upload-tab'
import { UrlTab } from './url-tab'

interface Props {
  /** Starts a download; resolves to why not, or to nothing when the hub has accepted it. */
  onStart: (request: DownloadRequest) => Promise<unknown>
  onUploaded: (download: Download) => void
}

/** Every way in, in one place. */
export function AddModelPage({ onStart, onUploaded }: Props) {
  const { t } = useTranslation()
  const [query, setQuery] = useSearchParams()
  const mayFolders = useMay('folders.use')
  const tabs = [
    { key: 'search', label: t('add.fromSearch'), children: <FromSearch /> },
    { key: 'upload', label: t('add.fromUpload'), children: <UploadTab onDone={onUploaded} /> },
    { key: 'url', label: t('add.fromUrl'), children: <UrlTab onStart={onStart} /> },
    ...(mayFolders ? [{ key: 'folder', label: t('add.fromFolder'), children: <FolderTab onStart={onStart} /> }] : []),
  ]
  return (
    <Page title={t('add.title')} hint={t('add.hint')}>
      <Tabs
        activeKey={query.get('from') ?? 'search'}
        items={tabs}
        onChange={(from) => setQuery({ from }, { replace: true })}
      />
    </Page>
  )
}

function FromSearch() {
  const { t } = useTranslation()
  return (
    <EmptyState title={t('add.searchTitle')} hint={t('add.searchHint')}>
      <LinkButton to={paths.search} type="primary" icon={<SearchOutlined />}>{t('downloads.find')}</LinkButton>
    </EmptyState>
  )
}
