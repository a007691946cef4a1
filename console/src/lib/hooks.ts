import { useSyncExternalStore } from 'react'
import { useTranslation } from 'react-i18next'
import { useDispatch, useSelector, useStore } from 'react-redux'

import type { AuthState } from '@/lib/auth-slice'
import { ago, moment } from '@/lib/format'
import { mayChange, type Owned, type PermissionName } from '@/lib/permissions'
import type { Preferences } from '@/lib/preferences'
import { connection } from '@/lib/socket'

interface State {
  auth: AuthState
  preferences: Preferences
}

export const useAuth = () => useSelector((state: State) => state.auth)
/** What one's role includes decides what is offered; the hub decides what happens. */
export const useMay = (permission: PermissionName) => useSelector(({ auth }: State) => auth.user?.permissions.includes(permission) ?? false)

/** May this be changed by who is signed in? The hub's rule, told in advance. */
export const useMayChange = (thing: Owned) => useSelector(({ auth }: State) => mayChange(thing, auth.user))

export const usePreferences = () => useSelector((state: State) => state.preferences)
export const useAppDispatch = useDispatch
export const useAppStore = useStore<State>

/** Are the live sockets connected? */
export const useConnected = () => useSyncExternalStore(connection.subscribe, connection.isUp)

/** Dates in the language of the console. */
export function useDates() {
  const { i18n } = useTranslation()
  return {
    moment: (iso: string | null | undefined) => moment(iso, i18n.language),
    ago: (iso: string | null | undefined) => ago(iso, i18n.language),
  }
}
