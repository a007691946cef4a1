import { api } from '@/lib/api'
import { sessionHint, signedIn, signedOut } from '@/lib/auth-slice'
import type { JoinInfo, SignedIn, SignInOptions } from '@/types'

interface Newcomer {
  name?: string
  password: string
}

/** An answer that signs in does so here; why it did not is shown by the form that asked. */
const enters = async (
  _arg: unknown,
  { dispatch, queryFulfilled }: { dispatch: (action: unknown) => unknown; queryFulfilled: Promise<{ data: SignedIn }> },
) => {
  try {
    const { data } = await queryFulfilled
    sessionHint.set()
    dispatch(signedIn(data))
  } catch {
    // The form shows why.
  }
}

const auth = api.injectEndpoints({
  endpoints: (build) => ({
    signInOptions: build.query<SignInOptions, void>({
      query: () => ({ url: 'auth/options' }),
    }),
    login: build.mutation<SignedIn, { email: string; password: string }>({
      query: (body) => ({ url: 'auth/login', method: 'POST', body }),
      onQueryStarted: enters,
    }),
    register: build.mutation<SignedIn, Newcomer & { email: string }>({
      query: (body) => ({ url: 'auth/register', method: 'POST', body }),
      onQueryStarted: enters,
    }),
    joinInfo: build.query<JoinInfo, string>({
      query: (token) => ({ url: 'auth/join/look', method: 'POST', body: { token } }),
      keepUnusedDataFor: 0,
    }),
    join: build.mutation<SignedIn, Newcomer & { token: string; email?: string }>({
      query: (body) => ({ url: 'auth/join', method: 'POST', body }),
      onQueryStarted: enters,
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

export const {
  useSignInOptionsQuery, useLoginMutation, useRegisterMutation, useJoinInfoQuery, useJoinMutation, useLogoutMutation,
} = auth
