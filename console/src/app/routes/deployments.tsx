import { useNavigate } from 'react-router'

import { paths } from '@/config/paths'
import { DeploymentsPage } from '@/features/deployments/deployments-page'

export function DeploymentsRoute() {
  const navigate = useNavigate()
  return <DeploymentsPage onChat={({ id }) => void navigate(`${paths.chat}?deployment=${id}`)} />
}
