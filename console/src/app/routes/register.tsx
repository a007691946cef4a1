import { Navigate } from 'react-router'

import { useSilentEntry } from '@/app/enter'
import { paths } from '@/config/paths'
import { RegisterPage } from '@/features/auth/register-page'

export function RegisterRoute() {
  return useSilentEntry() === 'in' ? <Navigate to={paths.overview} replace /> : <RegisterPage />
}
