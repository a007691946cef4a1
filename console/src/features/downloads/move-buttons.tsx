import { ArrowDownOutlined, ArrowUpOutlined, VerticalAlignTopOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { useMay } from '@/lib/hooks'
import type { Download, DownloadMove } from '@/types'

import { useMoveDownloadMutation } from './api'

/** Where each step leads: before the one above, behind the one below, or to the front. */
export function steps(download: Download, queue: Download[]): Record<'first' | 'up' | 'down', DownloadMove | null> {
  const waiting = queue.filter(({ status }) => status === 'pending' || status === 'held')
  const at = waiting.findIndex(({ id }) => id === download.id)
  const above = waiting[at - 1]
  const beyond = waiting[at + 2]
  if (at < 0) return { first: null, up: null, down: null }
  return {
    first: at > 1 ? { to: 'first', before: null } : null,
    up: above ? { before: above.id, to: null } : null,
    down: at === waiting.length - 1 ? null : beyond ? { before: beyond.id, to: null } : { to: 'last', before: null },
  }
}

export function MoveButtons({ download, queue }: { download: Download; queue: Download[] }) {
  const { t } = useTranslation()
  const [move, { isLoading }] = useMoveDownloadMutation()
  const mayManage = useMay('settings.manage')
  if (!mayManage || download.position === null) return null
  const { id, name } = download
  const to = steps(download, queue)
  const button = (step: keyof typeof to, icon: ReactNode) => {
    const body = to[step]
    return (
      <Button
        type="text"
        icon={icon}
        disabled={!body || isLoading}
        aria-label={t(`queue.${step}Name`, { name })}
        onClick={() => body && void move({ id, body })}
      />
    )
  }
  return (
    <>
      {button('first', <VerticalAlignTopOutlined />)}
      {button('up', <ArrowUpOutlined />)}
      {button('down', <ArrowDownOutlined />)}
    </>
  )
}
