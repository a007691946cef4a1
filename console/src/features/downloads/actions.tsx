import {
  CloseOutlined, DatabaseOutlined, DeleteOutlined, PauseOutlined, PlayCircleOutlined, ReloadOutlined, SettingOutlined,
} from '@ant-design/icons'
import { Button, Flex, Popconfirm } from 'antd'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { LinkButton } from '@/components/link-button'
import { paths } from '@/config/paths'
import { useMay, useMayChange } from '@/lib/hooks'
import type { Download } from '@/types'

import { type DownloadAction, useChangeDownloadMutation, useRemoveDownloadMutation } from './api'
import { LimitsDialog } from './limits-dialog'

/** What can be done to a download in its state. One whose source cannot go on is only paused after a question. */
export function Actions({ download, children }: { download: Download; children?: ReactNode }) {
  const { t } = useTranslation()
  const [change, changing] = useChangeDownloadMutation()
  const [remove, removing] = useRemoveDownloadMutation()
  const [limiting, setLimiting] = useState(false)
  const { id, name, status } = download
  const fromZero = download.resumable === false && download.bytes_done > 0
  const act = (action: DownloadAction, icon: ReactNode) => {
    const begin = () => void change({ id, action })
    const button = (
      <Button
        icon={icon}
        loading={changing.isLoading && changing.originalArgs?.action === action}
        aria-label={t(`downloads.${action}Name`, { name })}
        onClick={fromZero ? undefined : begin}
      >
        {t(`downloads.${action}`)}
      </Button>
    )
    if (!fromZero) return button
    return (
      <Popconfirm
        title={t(`queue.fromZero.${action === 'pause' ? 'pause' : 'resume'}`)}
        okText={t(`downloads.${action}`)}
        cancelText={t('actions.keep')}
        onConfirm={begin}
      >
        {button}
      </Popconfirm>
    )
  }
  const busy = status === 'pending' || status === 'held' || status === 'downloading'
  const mayWrite = useMay('downloads.write')
  const mayChange = useMayChange(download) && mayWrite
  const ended = status === 'completed' || status === 'failed' || status === 'cancelled'
  return (
    <Flex gap={8} wrap className="row-actions">
      {children}
      {mayChange && busy && act('pause', <PauseOutlined />)}
      {mayChange && status === 'paused' && act('resume', <PlayCircleOutlined />)}
      {mayChange && (status === 'failed' || status === 'cancelled') && act('retry', <ReloadOutlined />)}
      {status === 'completed' && download.model_id && (
        <LinkButton to={paths.model(download.model_id)} type="primary" icon={<DatabaseOutlined />}>
          {t('downloads.open')}
        </LinkButton>
      )}
      {mayChange && !ended && (
        <>
          <Button type="text" icon={<SettingOutlined />} aria-label={t('queue.limitsOf', { name })} onClick={() => setLimiting(true)} />
          <Popconfirm
            title={t('downloads.cancelAsk')}
            okText={t('downloads.cancel')}
            cancelText={t('actions.keep')}
            okButtonProps={{ danger: true }}
            onConfirm={() => void change({ id, action: 'cancel' })}
          >
            <Button danger type="text" icon={<CloseOutlined />} aria-label={t('downloads.cancelName', { name })} />
          </Popconfirm>
        </>
      )}
      {mayChange && ended && (
        <Button
          type="text"
          icon={<DeleteOutlined />}
          loading={removing.isLoading}
          aria-label={t('downloads.removeName', { name })}
          title={t('downloads.removeHint')}
          onClick={() => void remove(id)}
        />
      )}
      {limiting && <LimitsDialog download={download} onClose={() => setLimiting(false)} />}
    </Flex>
  )
}
