import { api } from '@/lib/api'
import { sessionHint, signedIn, signedOut } from '@/lib/auth-slice'
import type { SignedIn } from '@/types'

const auth = api.injectEndpoints({
  endpoints: (build) => ({
    login: build.mutation<SignedIn, { email: string; password: string }>({
      query: (body) => ({ url: 'auth/login', method: 'POST', body }),
      onQueryStarted: async (_arg, { dispatch, queryFulfilled }) => {
        try {
          const { data } = await queryFulfilled
          sessionHint.set()
          dispatch(signedIn(data))
        } catch {
          // The form shows why.
        }
      },
    }),
    logout: build.mutation<unknown, void>({
      query: () => ({ url: 'auth/logout', method: 'POST' }),
      onQueryStarted: async (_arg, { dispatch, queryFulfilled }) => {
        // Signed out here even when the hub is away: nobody should stay in by pulling a plug.
        await queryFulfilled.catch(() => undefined)
        sessionHint.clear()
        dispatch(signedOut())
      },
    }),
  }),
})

export const { useLoginMutation, useLogoutMutation } = auth
