import { api } from '@/lib/api'
import type { Page, Team, TeamRequest, User } from '@/types'

const teams = api.injectEndpoints({
  endpoints: (build) => ({
    saveTeam: build.mutation<Team, { id?: string } & TeamRequest>({
      query: ({ id, ...body }) => (id ? { url: `teams/${id}`, method: 'PATCH', body } : { url: 'teams', method: 'POST', body }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Team']),
    }),
    removeTeam: build.mutation<unknown, string>({
      query: (id) => ({ url: `teams/${id}`, method: 'DELETE' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Team', 'Model', 'Deployment', 'Download']),
    }),
    setMember: build.mutation<Team, { id: string; userId: string; manager: boolean }>({
      query: ({ id, userId, manager }) => ({ url: `teams/${id}/members/${userId}`, method: 'PUT', body: { manager } }),
      invalidatesTags: ['Team'],
    }),
    removeMember: build.mutation<unknown, { id: string; userId: string }>({
      query: ({ id, userId }) => ({ url: `teams/${id}/members/${userId}`, method: 'DELETE' }),
      invalidatesTags: ['Team'],
    }),
    /** Who could be put into a team. */
    people: build.query<User[], string>({
      query: (q) => ({ url: 'users', params: { q, active: true, limit: 20 } }),
      transformResponse: (answer: Page<User>) => answer.items,
      providesTags: ['User'],
    }),
  }),
})

export const {
  useSaveTeamMutation, useRemoveTeamMutation, useSetMemberMutation, useRemoveMemberMutation, usePeopleQuery,
} = teams
