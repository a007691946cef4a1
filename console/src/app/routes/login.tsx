import { useEffect, useState } from 'react'
import { Navigate, useLocation, useNavigate, useSearchParams } from 'react-router'

import { useSilentEntry } from '@/app/enter'
import { paths } from '@/config/paths'
import { LoginPage } from '@/features/auth/login-page'
import { sessionHint } from '@/lib/auth-slice'
import { useAuth } from '@/lib/hooks'

/** Anybody can write a link with this in it: a sentence, not a page. */
const MOST_OF_ERROR = 300

/** Signing in leads back to where one wanted to go; someone already signed in goes there at once. */
export function LoginRoute() {
  const location = useLocation()
  const navigate = useNavigate()
  const [params] = useSearchParams()
  const said = params.get('sso_error')
  const [ssoError, setSsoError] = useState<string | null>(null)
  if (said !== null && said !== ssoError) setSsoError(said)
  const { farewell } = useAuth()
  const status = useSilentEntry()
  const from = (location.state as { from?: string } | null)?.from ?? paths.overview

  useEffect(() => {
    if (said === null) return
    sessionHint.forgetAway()
    void navigate(paths.login, { replace: true })
  }, [said, navigate])

  if (status === 'in') return <Navigate to={from} replace />
  return <LoginPage from={from} farewell={ssoError ? null : farewell} ssoError={ssoError?.slice(0, MOST_OF_ERROR) ?? null} />
}
