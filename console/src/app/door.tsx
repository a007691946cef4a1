import { Button, Spin } from 'antd'
import { lazy, Suspense, useCallback, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Navigate, Outlet, useLocation } from 'react-router'

import { EmptyState } from '@/components/empty-state'
import { paths } from '@/config/paths'
import { sessionHint, setUpLater, signedOut } from '@/lib/auth-slice'
import { useAppDispatch, useAppStore, useAuth } from '@/lib/hooks'
import { refreshSession } from '@/lib/refresh'

const SetUpPage = lazy(async () => ({ default: (await import('@/features/account/set-up-page')).SetUpPage }))

export function Waiting() {
  const { t } = useTranslation()
  return (
    <main className="centre">
      <Spin size="large" aria-label={t('common.loading')} />
    </main>
  )
}

/** Lets the signed-in through. After a reload the token is gone from memory: one silent refresh brings it back. */
export function Door() {
  const { t } = useTranslation()
  const { status, user } = useAuth()
  const dispatch = useAppDispatch()
  const store = useAppStore()
  const location = useLocation()
  const [unreachable, setUnreachable] = useState(false)
  const [later, setLater] = useState(setUpLater.chosen)
  const putOff = () => {
    setUpLater.choose()
    setLater(true)
  }

  const enter = useCallback(() => {
    if (!sessionHint.present()) return void dispatch(signedOut())
    refreshSession(store).catch(() => setUnreachable(true))
  }, [dispatch, store])

  useEffect(() => {
    if (status === 'unknown') enter()
  }, [status, enter])

  if (status === 'in') {
    if (!user?.set_up || later) return <Outlet />
    return <Suspense fallback={<Waiting />}><SetUpPage user={user} onLater={putOff} /></Suspense>
  }
  if (status === 'out') return <Navigate to={paths.login} replace state={{ from: location.pathname + location.search }} />
  if (unreachable) {
    const again = () => {
      setUnreachable(false)
      enter()
    }
    return (
      <main className="centre">
        <EmptyState title={t('errors.unreachable')} hint={t('errors.unreachableHint')}>
          <Button type="primary" onClick={again}>{t('actions.retry')}</Button>
        </EmptyState>
      </main>
    )
  }
  return <Waiting />
}
