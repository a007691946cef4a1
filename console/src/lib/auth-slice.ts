import { createSlice, type PayloadAction } from '@reduxjs/toolkit'

import type { SignedIn, User } from '@/types'

/** `unknown` until the first silent refresh has answered. The token lives here only: never in storage. */
export interface AuthState {
  status: 'unknown' | 'in' | 'out'
  token: string | null
  expiresAt: number
  user: User | null
}

const HINT = 'modelhub.signed-in'

/** The refresh cookie is invisible to scripts; this mark says whether asking for a token is worth a request. */
export const sessionHint = {
  key: HINT,
  present: () => localStorage.getItem(HINT) === '1',
  set: () => localStorage.setItem(HINT, '1'),
  clear: () => localStorage.removeItem(HINT),
}

const signedOutState: AuthState = { status: 'out', token: null, expiresAt: 0, user: null }

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
        },
      }),
    },
    signedOut: () => signedOutState,
  },
})

export const { signedIn, signedOut } = slice.actions
export const authReducer = slice.reducer
