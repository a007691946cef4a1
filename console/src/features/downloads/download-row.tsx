import { Alert, Flex, Progress, Tag, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { SettleLink } from '@/components/error-note'
import { VisibilityTag } from '@/components/sharing/visibility-tag'
import { StatusTag } from '@/components/status-tag'
import { bytes, duration, originOf, percent } from '@/lib/format'
import { useDates } from '@/lib/hooks'
import type { Download, ErrorInfo } from '@/types'

import { Actions } from './actions'
import { WaitingNote } from './waiting-note'

const BAR = { completed: 'success', failed: 'exception', downloading: 'active' } as const

/** `actions` come before the row's own. */
export function DownloadRow({ download, actions }: { download: Download; actions?: ReactNode }) {
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
        <Actions download={download}>{actions}</Actions>
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
      {status === 'held' && <WaitingNote download={download} />}
      {error && (status === 'failed' || status === 'paused') && <Explained error={error} />}
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
      {download.position !== null && <span>{t('queue.place', { place: download.position })}</span>}
      {download.priority !== 0 && <Tag>{t('queue.priorityIs', { priority: download.priority })}</Tag>}
      {download.rate !== null && <Tag>{t('queue.atMost', { speed: `${bytes(download.rate)}/s` })}</Tag>}
      {download.any_time && <Tag>{t('queue.anyTimeTag')}</Tag>}
      {download.restart_required && download.bytes_done > 0 && <Tag color="warning">{t('queue.restart')}</Tag>}
      {download.message && status !== 'failed' && status !== 'completed' && <span>{download.message}</span>}
      {download.note && status !== 'completed' && <span>{download.note}</span>}
      <span title={dates.moment(download.created_at)}>{dates.ago(download.created_at)}</span>
    </div>
  )
}

/** The hub's own sentence, and for the common cases what to do about it. */
function Explained({ error: { code, message, details } }: { error: ErrorInfo }) {
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
          <SettleLink details={details} />
        </>
      }
    />
  )
}
