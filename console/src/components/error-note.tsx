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

interface Props {
  error: unknown
  retry?: () => void
  children?: ReactNode
}

/** A failure in the place of the content, with its stable code and a way to try again. */
export function ErrorNote({ error, retry, children }: Props) {
  const { t } = useTranslation()
  const { code, message } = useErrorText()(error)
  return (
    <Alert
      type="error"
      showIcon
      title={message}
      description={
        <>
          <Typography.Text type="secondary" code>{code}</Typography.Text>
          {children}
        </>
      }
      action={retry && <Button size="small" onClick={retry}>{t('actions.retry')}</Button>}
    />
  )
}
