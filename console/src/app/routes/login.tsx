import { useEffect } from 'react'
import { Navigate, useLocation } from 'react-router'

import { paths } from '@/config/paths'
import { LoginPage } from '@/features/auth/login-page'
import { sessionHint, signedOut } from '@/lib/auth-slice'
import { useAppDispatch, useAppStore, useAuth } from '@/lib/hooks'
import { refreshSession } from '@/lib/refresh'

/** Signing in leads back to where one wanted to go; someone already signed in goes there at once. */
export function LoginRoute() {
  const { status } = useAuth()
  const dispatch = useAppDispatch()
  const store = useAppStore()
  const from = (useLocation().state as { from?: string } | null)?.from ?? paths.overview

  useEffect(() => {
    if (status !== 'unknown') return
    if (sessionHint.present()) refreshSession(store).catch(() => dispatch(signedOut()))
    else dispatch(signedOut())
  }, [status, store, dispatch])

  if (status === 'in') return <Navigate to={from} replace />
  return <LoginPage />
}
