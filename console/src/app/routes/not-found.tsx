import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { paths } from '@/config/paths'

export function NotFoundRoute() {
  const { t } = useTranslation()
  return (
    <EmptyState title={t('errors.noPage')} hint={t('errors.noPageHint')}>
      <Link to={paths.overview}>{t('nav.overview')}</Link>
    </EmptyState>
  )
}
