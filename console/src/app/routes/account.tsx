import { useLocation } from 'react-router'

import { AccountPage } from '@/features/account/account-page'
import { useDeploymentsInfiniteQuery } from '@/features/deployments/api'
import { KeysPanel } from '@/features/keys/keys-panel'
import { useMay } from '@/lib/hooks'

export function AccountRoute() {
  const { pathname } = useLocation()
  const { data } = useDeploymentsInfiniteQuery(undefined, { skip: !useMay('deployments.read') })
  return <AccountPage at={pathname} keys={<KeysPanel deployments={data?.pages.flatMap((page) => page.items) ?? []} />} />
}
