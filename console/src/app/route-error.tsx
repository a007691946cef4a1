import { Button } from 'antd'
import { useTranslation } from 'react-i18next'
import { useRouteError } from 'react-router'

import { EmptyState } from '@/components/empty-state'

/** A page broke, or its chunk is gone because the hub was updated under an open tab: reloading mends both. */
export function RouteError() {
  const { t } = useTranslation()
  const error = useRouteError()
  const detail = error instanceof Error ? error.message : String(error)
  return (
    <main className="centre">
      <EmptyState title={t('errors.page')} hint={detail}>
        <Button type="primary" onClick={() => window.location.reload()}>{t('actions.reload')}</Button>
      </EmptyState>
    </main>
  )
}
