import { Tag } from 'antd'
import { useTranslation } from 'react-i18next'

const COLOURS: Record<string, string> = {
  pending: 'default', queued: 'default', downloading: 'processing', deploying: 'processing', running: 'processing',
  paused: 'warning', held: 'warning', completed: 'success', ready: 'success', failed: 'error', cancelled: 'default', stopped: 'default',
  active: 'success', open: 'processing', used: 'default', expired: 'default', revoked: 'default', deactivated: 'warning', locked: 'error', quarantined: 'error',
  done: 'success', denied: 'warning',
}

/** `live`: running means serving (good), not working (busy). */
export function StatusTag({ status, live = false }: { status: string; live?: boolean }) {
  const { t } = useTranslation()
  const colour = live && status === 'running' ? 'success' : COLOURS[status]
  return <Tag color={colour} className="status">{t(`status.${status}`)}</Tag>
}
