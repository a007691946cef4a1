import { useTranslation } from 'react-i18next'
import { Outlet } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { useMay } from '@/lib/hooks'
import type { PermissionName } from '@/lib/permissions'

/** Pages of what one's role does not include say so, instead of a list of refusals. */
export function Allowed({ permission }: { permission: PermissionName }) {
  const { t } = useTranslation()
  if (useMay(permission)) return <Outlet />
  return <EmptyState title={t('errors.notAllowed')} hint={t('errors.notAllowedHint', { permission })} />
}
