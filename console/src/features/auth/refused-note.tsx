import { Alert } from 'antd'
import { useTranslation } from 'react-i18next'

import { useCountdown } from '@/components/countdown'
import { ErrorNote } from '@/components/error-note'
import { asApiError } from '@/lib/api'

/** Seconds the hub asks to wait, counted down; 0 when it may be tried. */
export function useWait(error: unknown): number {
  const { status, retryAfter, details } = asApiError(error)
  const told = retryAfter ?? (typeof details.retry_after === 'number' ? Math.ceil(details.retry_after) : undefined)
  return useCountdown(status === 429 ? told : undefined, error)
}

/** Why one was not let in; with a wait, how long it still is. */
export function RefusedNote({ error, wait }: { error: unknown; wait: number }) {
  const { t } = useTranslation()
  if (!error) return null
  return (
    <div className="login-error">
      {wait > 0 ? (
        <Alert type="warning" showIcon role="alert" title={t('login.locked')} description={t('login.wait', { count: wait })} />
      ) : (
        asApiError(error).status !== 429 && <ErrorNote error={error} />
      )}
    </div>
  )
}
