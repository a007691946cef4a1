import { configureStore, createListenerMiddleware, isRejectedWithValue } from '@reduxjs/toolkit'

import { api, asApiError } from '@/lib/api'
import { type AuthState, authReducer, sessionHint, signedIn, signedOut } from '@/lib/auth-slice'
import { notices } from '@/lib/notify'
import { preferencesReducer, preferred, storePreferences, type Preferences } from '@/lib/preferences'
import { bindSockets, closeSockets, retryRefused } from '@/lib/socket'

interface Meta {
  arg?: { type?: string; endpointName?: string }
}

/** Actions whose form or dialog shows the failure itself. */
const EXPLAINED_IN_PLACE = new Set([
  'editModel', 'checkModel', 'updateModel', 'activateVersion', 'deleteVersion', 'offloadModel', 'restoreModel',
  'login', 'register', 'join', 'deleteModel', 'createDeployment', 'changeProfile', 'changePassword', 'makeKey', 'invite',
  'changeUser', 'removeUser', 'saveRole', 'saveTeam', 'shareModel', 'shareDeployment',
])

const reach = ({ user }: AuthState) => JSON.stringify([user?.permissions, user?.teams])

export function makeStore(hub?: string) {
  const listener = createListenerMiddleware()

  // An action that failed is told in one place; a page that could not load says so itself, where the content would be.
  listener.startListening({
    matcher: isRejectedWithValue,
    effect: (action) => {
      const { arg } = action.meta as Meta
      if (arg?.type === 'mutation' && !EXPLAINED_IN_PLACE.has(arg.endpointName ?? '')) notices.failure(asApiError(action.payload))
    },
  })
  listener.startListening({
    actionCreator: signedOut,
    effect: (_action, { dispatch }) => {
      closeSockets()
      dispatch(api.util.resetApiState())
    },
  })
  // The refresh cookie is the browser's: it may have become somebody else's, or what one may do has changed.
  listener.startListening({
    actionCreator: signedIn,
    effect: ({ payload }, { dispatch, getOriginalState }) => {
      const before = (getOriginalState() as { auth: AuthState }).auth
      if (!before.user || !payload.user) return
      if (before.user.id !== payload.user.id) {
        closeSockets()
        dispatch(api.util.resetApiState())
      } else if (reach(before) !== reach(payload)) {
        retryRefused()
        dispatch(api.util.invalidateTags(['Download', 'Model', 'Deployment', 'Session', 'Job', 'User', 'Role', 'Team', 'ApiKey']))
      }
    },
  })
  listener.startListening({
    actionCreator: preferred,
    effect: (_action, { getState }) => storePreferences((getState() as { preferences: Preferences }).preferences),
  })

  const store = configureStore({
    reducer: { auth: authReducer, preferences: preferencesReducer, [api.reducerPath]: api.reducer },
    middleware: (defaults) => defaults().prepend(listener.middleware).concat(api.middleware),
  })
  bindSockets(store, hub)
  // Signing out in one tab signs out all of them.
  window.addEventListener('storage', (event) => {
    if (event.key === sessionHint.key && event.newValue === null) store.dispatch(signedOut('elsewhere'))
  })
  return store
}

export type AppStore = ReturnType<typeof makeStore>
export type RootState = ReturnType<AppStore['getState']>
