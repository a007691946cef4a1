import { Drawer, Skeleton, Switch, Typography } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { CopyButton } from '@/components/copy-button'
import { ErrorNote } from '@/components/error-note'
import type { Deployment } from '@/types'

import { useLogs } from './logs'

/** What the engine says, from the kept beginning and then live. */
export function LogDrawer({ deployment, onClose }: { deployment: Deployment; onClose: () => void }) {
  const { t } = useTranslation()
  const { lines, error, loading, retry } = useLogs(deployment.id)
  const [following, setFollowing] = useState(true)
  const box = useRef<HTMLPreElement>(null)

  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines, following])

  return (
    <Drawer
      open
      onClose={onClose}
      size="min(860px, 100vw)"
      title={t('deployments.logsName', { name: deployment.name })}
      extra={
        <label className="inline-label">
          <Switch size="small" checked={following} onChange={setFollowing} aria-label={t('logs.follow')} /> {t('logs.follow')}
        </label>
      }
      styles={{ body: { display: 'flex', flexDirection: 'column', gap: 12 } }}
    >
      {error !== null && <ErrorNote error={error} retry={retry} />}
      {loading && lines.length === 0 && <Skeleton active />}
      {!loading && lines.length === 0 && error === null && <Typography.Text type="secondary">{t('logs.none')}</Typography.Text>}
      {lines.length > 0 && (
        <div className="code-block log">
          <CopyButton text={() => lines.join('\n')} />
          <pre ref={box} tabIndex={0} role="log" aria-label={t('deployments.logs')}>{lines.join('\n')}</pre>
        </div>
      )}
    </Drawer>
  )
}
