import { App, Typography } from 'antd'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'

import { useErrorText } from '@/components/error-note'
import { notices } from '@/lib/notify'

/** Draws what lib/notify tells; the same failure twice is one notice. */
export function Notifications() {
  const { notification } = App.useApp()
  const { t } = useTranslation()
  const textOf = useErrorText()
  useEffect(
    () =>
      notices.subscribe((error) => {
        const { code, message } = textOf(error)
        notification.error({
          key: `${code} ${message}`,
          role: 'alert',
          title: t('errors.failed'),
          description: (
            <>
              {message} <Typography.Text type="secondary" code>{code}</Typography.Text>
            </>
          ),
        })
      }),
    [notification, t, textOf],
  )
  return null
}
