import { Alert, Button, Typography } from 'antd'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

import { asApiError } from '@/lib/api'

/** What a failure is called and what it says, for people. */
export function useErrorText() {
  const { t } = useTranslation()
  return (error: unknown) => {
    const { code, message } = asApiError(error)
    if (code === 'HUB_UNREACHABLE') return { code, message: t('errors.unreachable') }
    return { code, message: message || t('errors.unexpected') }
  }
}

/** The page on which a failure can be settled (a licence to accept, a token to make), where the hub names one. */
export function SettleLink({ details }: { details: Record<string, unknown> }) {
  const { t } = useTranslation()
  const { url } = details
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) return null
  return (
    <Button size="small" href={url} target="_blank" rel="noopener noreferrer" className="settle-link">
      {t('errors.openPage', { host: new URL(url).host })}
    </Button>
  )
}

interface Props {
  error: unknown
  retry?: () => void
  children?: ReactNode
}

/** A failure in the place of the content, with its stable code and a way to try again. */
export function ErrorNote({ error, retry, children }: Props) {
  const { t } = useTranslation()
  const { code, message } = useErrorText()(error)
  const { details } = asApiError(error)
  return (
    <Alert
      type="error"
      showIcon
      title={message}
      description={
        <>
          <Typography.Text type="secondary" code>{code}</Typography.Text>
          <SettleLink details={details} />
          {children}
        </>
      }
      action={retry && <Button size="small" onClick={retry}>{t('actions.retry')}</Button>}
    />
  )
}
