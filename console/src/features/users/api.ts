import { api, keysetPages } from '@/lib/api'
import type { Invite, InviteMade, InviteRequest, Lockout, Page, SessionInfo, User, UserChange } from '@/types'

export interface UserFilters {
  q?: string
  role?: string
  active?: boolean
}

const users = api.injectEndpoints({
  endpoints: (build) => ({
    users: build.infiniteQuery<Page<User>, UserFilters, string>({
      query: ({ queryArg, pageParam }) => ({ url: 'users', params: { ...queryArg, after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['User'],
      keepUnusedDataFor: 0,
    }),
    changeUser: build.mutation<User, { id: string } & UserChange>({
      query: ({ id, ...body }) => ({ url: `users/${id}`, method: 'PATCH', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['User', 'Role', 'Team']),
    }),
    removeUser: build.mutation<unknown, string>({
      query: (id) => ({ url: `users/${id}`, method: 'DELETE' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['User', 'Role', 'Team', 'Model', 'Deployment', 'Download']),
    }),
    resetLink: build.mutation<InviteMade, string>({
      query: (id) => ({ url: `users/${id}/reset`, method: 'POST' }),
      invalidatesTags: ['Invite'],
    }),
    userSessions: build.query<SessionInfo[], string>({
      query: (id) => ({ url: `users/${id}/sessions` }),
      transformResponse: (answer: { items: SessionInfo[] }) => answer.items,
      providesTags: ['SignIn'],
      keepUnusedDataFor: 0,
    }),
    endUserSessions: build.mutation<unknown, string>({
      query: (id) => ({ url: `users/${id}/sessions`, method: 'DELETE' }),
      invalidatesTags: ['SignIn'],
    }),
    invites: build.infiniteQuery<Page<Invite>, void, string>({
      query: ({ pageParam }) => ({ url: 'invites', params: { after: pageParam } }),
      infiniteQueryOptions: keysetPages,
      providesTags: ['Invite'],
      keepUnusedDataFor: 0,
    }),
    invite: build.mutation<InviteMade, InviteRequest>({
      query: (body) => ({ url: 'invites', method: 'POST', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Invite']),
    }),
    revokeInvite: build.mutation<unknown, string>({
      query: (id) => ({ url: `invites/${id}`, method: 'DELETE' }),
      invalidatesTags: ['Invite'],
    }),
    lockouts: build.query<Lockout[], void>({
      query: () => ({ url: 'lockouts' }),
      transformResponse: (answer: { items: Lockout[] }) => answer.items,
      providesTags: ['Lockout'],
      keepUnusedDataFor: 0,
    }),
    liftLockout: build.mutation<unknown, string>({
      query: (id) => ({ url: `lockouts/${id}`, method: 'DELETE' }),
      invalidatesTags: ['Lockout'],
    }),
  }),
})

export const {
  useUsersInfiniteQuery, useChangeUserMutation, useRemoveUserMutation, useResetLinkMutation, useUserSessionsQuery,
  useEndUserSessionsMutation, useInvitesInfiniteQuery, useInviteMutation, useRevokeInviteMutation, useLockoutsQuery,
  useLiftLockoutMutation,
} = users
