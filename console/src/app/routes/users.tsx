import { useLocation } from 'react-router'

import { UsersPage } from '@/features/users/users-page'

export function UsersRoute() {
  return <UsersPage at={useLocation().pathname} />
}
