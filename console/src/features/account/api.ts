import { api } from '@/lib/api'
import { profileChanged } from '@/lib/auth-slice'
import type { Profile, ProfileChange, SessionInfo } from '@/types'

const account = api.injectEndpoints({
  endpoints: (build) => ({
    changeProfile: build.mutation<Profile, ProfileChange>({
      query: (body) => ({ url: 'auth/me', method: 'PATCH', body }),
      onQueryStarted: (_arg, { dispatch, queryFulfilled }) =>
        queryFulfilled.then(({ data }) => void dispatch(profileChanged(data)), () => undefined),
    }),
    changePassword: build.mutation<unknown, { current: string; new: string }>({
      query: (body) => ({ url: 'auth/password', method: 'POST', body }),
      // All other sessions have ended with it.
      invalidatesTags: (_answer, error) => (error ? [] : ['SignIn']),
      onQueryStarted: (_arg, { dispatch, queryFulfilled }) =>
        queryFulfilled.then(() => void dispatch(profileChanged({ set_up: false, has_password: true })), () => undefined),
    }),
    signIns: build.query<SessionInfo[], void>({
      query: () => ({ url: 'auth/sessions' }),
      transformResponse: (answer: { items: SessionInfo[] }) => answer.items,
      providesTags: ['SignIn'],
      keepUnusedDataFor: 0,
    }),
    endSignIn: build.mutation<unknown, string>({
      query: (id) => ({ url: `auth/sessions/${id}`, method: 'DELETE' }),
      invalidatesTags: ['SignIn'],
    }),
    endOtherSignIns: build.mutation<unknown, void>({
      query: () => ({ url: 'auth/sessions', method: 'DELETE' }),
      invalidatesTags: ['SignIn'],
    }),
  }),
})

export const {
  useChangeProfileMutation, useChangePasswordMutation, useSignInsQuery, useEndSignInMutation, useEndOtherSignInsMutation,
} = account
