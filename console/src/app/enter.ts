import { useEffect } from 'react'

import { sessionHint, signedOut } from '@/lib/auth-slice'
import { useAppDispatch, useAppStore, useAuth } from '@/lib/hooks'
import { refreshSession } from '@/lib/refresh'

/** For pages before the door: find out silently whether one is signed in already. */
export function useSilentEntry() {
  const { status } = useAuth()
  const dispatch = useAppDispatch()
  const store = useAppStore()
  useEffect(() => {
    if (status !== 'unknown') return
    if (sessionHint.present()) refreshSession(store).catch(() => dispatch(signedOut()))
    else dispatch(signedOut())
  }, [status, store, dispatch])
  return status
}
