import {
  CloseOutlined, DatabaseOutlined, DeleteOutlined, PauseOutlined, PlayCircleOutlined, ReloadOutlined,
} from '@ant-design/icons'
import { Alert, Button, Flex, Popconfirm, Progress, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { LinkButton } from '@/components/link-button'
import { VisibilityTag } from '@/components/sharing/visibility-tag'
import { StatusTag } from '@/components/status-tag'
import { paths } from '@/config/paths'
import { bytes, duration, originOf, percent } from '@/lib/format'
import { useDates, useMay, useMayChange } from '@/lib/hooks'
import type { Download } from '@/types'

import { type DownloadAction, useChangeDownloadMutation, useRemoveDownloadMutation } from './api'

const BAR = { completed: 'success', failed: 'exception', downloading: 'active' } as const

export function DownloadRow({ download }: { download: Download }) {
  const { t } = useTranslation()
  const { status, error } = download
  const unfinished = status !== 'completed' && status !== 'cancelled'
  return (
    <li className="row" aria-label={download.name}>
      <Flex justify="space-between" gap={12} wrap align="flex-start">
        <div className="row-main">
          <div className="row-title">
            {download.name} <StatusTag status={status} /> <VisibilityTag thing={download} />
          </div>
          <div className="row-sub">
            {originOf(download)}
            {download.commit && download.commit !== download.revision && ` (${download.commit.slice(0, 10)})`}
          </div>
        </div>
        <Actions download={download} />
      </Flex>
      {unfinished && (
        <Progress
          aria-label={t('downloads.progress', { name: download.name })}
          percent={percent(download.bytes_done, download.bytes_total)}
          status={status in BAR ? BAR[status as keyof typeof BAR] : 'normal'}
          size="small"
        />
      )}
      <Figures download={download} />
      {error && status === 'failed' && <Explained code={error.code} message={error.message} />}
    </li>
  )
}

function Figures({ download }: { download: Download }) {
  const { t } = useTranslation()
  const dates = useDates()
  const { status, bytes_done: done, bytes_total: total } = download
  const moving = status === 'downloading'
  return (
    <div className="facts">
      <span>{status === 'completed' ? bytes(total ?? done) : `${bytes(done)} / ${bytes(total)}`}</span>
      {moving && Boolean(download.speed) && <span>{bytes(download.speed)}/s</span>}
      {moving && download.eta !== null && <span>{t('downloads.eta', { time: duration(download.eta) })}</span>}
      {download.message && status !== 'failed' && status !== 'completed' && <span>{download.message}</span>}
      <span title={dates.moment(download.created_at)}>{dates.ago(download.created_at)}</span>
    </div>
  )
}

/** The hub's own sentence, and for the common cases what to do about it. */
function Explained({ code, message }: { code: string; message: string }) {
  const { t, i18n } = useTranslation()
  const advice = `advice.${code}`
  return (
    <Alert
      className="row-alert"
      type="error"
      showIcon
      title={message}
      description={
        <>
          {i18n.exists(advice) && <>{t(advice)} </>}
          <Typography.Text type="secondary" code>{code}</Typography.Text>
        </>
      }
    />
  )
}

function Actions({ download }: { download: Download }) {
  const { t } = useTranslation()
  const [change, changing] = useChangeDownloadMutation()
  const [remove, removing] = useRemoveDownloadMutation()
  const { id, name, status } = download
  const act = (action: DownloadAction, icon: ReactNode) => (
    <Button
      icon={icon}
      loading={changing.isLoading && changing.originalArgs?.action === action}
      aria-label={t(`downloads.${action}Name`, { name })}
      onClick={() => void change({ id, action })}
    >
      {t(`downloads.${action}`)}
    </Button>
  )
  const busy = status === 'pending' || status === 'downloading'
  const mayWrite = useMay('downloads.write')
  const mayChange = useMayChange(download) && mayWrite
  const ended = status === 'completed' || status === 'failed' || status === 'cancelled'
  return (
    <Flex gap={8} wrap className="row-actions">
      {mayChange && busy && act('pause', <PauseOutlined />)}
      {mayChange && status === 'paused' && act('resume', <PlayCircleOutlined />)}
      {mayChange && (status === 'failed' || status === 'cancelled') && act('retry', <ReloadOutlined />)}
      {status === 'completed' && download.model_id && (
        <LinkButton to={paths.model(download.model_id)} type="primary" icon={<DatabaseOutlined />}>
          {t('downloads.open')}
        </LinkButton>
      )}
      {mayChange && !ended && (
        <Popconfirm
          title={t('downloads.cancelAsk')}
          okText={t('downloads.cancel')}
          cancelText={t('actions.keep')}
          okButtonProps={{ danger: true }}
          onConfirm={() => void change({ id, action: 'cancel' })}
        >
          <Button danger type="text" icon={<CloseOutlined />} aria-label={t('downloads.cancelName', { name })} />
        </Popconfirm>
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
    </Flex>
  )
}
