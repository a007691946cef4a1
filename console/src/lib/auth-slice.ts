import { createSlice, type PayloadAction } from '@reduxjs/toolkit'

import type { Profile, SignedIn } from '@/types'

/** `unknown` until the first silent refresh has answered. The token lives here only: never in storage. */
export interface AuthState {
  status: 'unknown' | 'in' | 'out'
  token: string | null
  expiresAt: number
  user: Profile | null
  /** Why one is out, where that needs a sentence: the hub ended it, or another window did. */
  farewell: Farewell | null
}

export type Farewell = 'ended' | 'elsewhere'

const HINT = 'modelhub.signed-in'
const AWAY = 'modelhub.sso'

/** The refresh cookie is invisible to scripts; this mark says whether asking for a token is worth a request. */
export const sessionHint = {
  key: HINT,
  present: () => localStorage.getItem(HINT) === '1' || sessionStorage.getItem(AWAY) === '1',
  set: () => {
    localStorage.setItem(HINT, '1')
    sessionStorage.removeItem(AWAY)
  },
  /** This window leaves for single sign-on, and may come back with a cookie. */
  expect: () => sessionStorage.setItem(AWAY, '1'),
  forgetAway: () => sessionStorage.removeItem(AWAY),
  clear: () => {
    localStorage.removeItem(HINT)
    sessionStorage.removeItem(AWAY)
  },
}

const LATER = 'modelhub.set-up-later'

/** Keeping the password one came with holds until this window closes; then the question comes again. */
export const setUpLater = {
  chosen: () => sessionStorage.getItem(LATER) === '1',
  choose: () => sessionStorage.setItem(LATER, '1'),
}

const signedOutState: AuthState = { status: 'out', token: null, expiresAt: 0, user: null, farewell: null }

const slice = createSlice({
  name: 'auth',
  initialState: { ...signedOutState, status: 'unknown' } as AuthState,
  reducers: {
    signedIn: {
      reducer: (_state, action: PayloadAction<AuthState>) => action.payload,
      prepare: (answer: SignedIn) => ({
        payload: {
          status: 'in' as const,
          token: answer.access_token,
          expiresAt: Date.now() + answer.expires_in * 1000,
          user: answer.user,
          farewell: null,
        },
      }),
    },
    signedOut: (_state, action: PayloadAction<Farewell | undefined>) => ({ ...signedOutState, farewell: action.payload ?? null }),
    profileChanged: (state, action: PayloadAction<Partial<Profile>>) => {
      if (state.user) Object.assign(state.user, action.payload)
    },
  },
})

export const { signedIn, signedOut, profileChanged } = slice.actions
export const authReducer = slice.reducer
