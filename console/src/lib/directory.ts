import { api } from '@/lib/api'
import type { Page, Role, Team } from '@/types'

/** Who there is, for every feature that lets one choose: the roles, and the teams one may know of. */
const directory = api.injectEndpoints({
  endpoints: (build) => ({
    roles: build.query<Role[], void>({
      query: () => ({ url: 'roles' }),
      transformResponse: (answer: { items: Role[] }) => answer.items,
      providesTags: ['Role'],
    }),
    teams: build.query<Team[], void>({
      query: () => ({ url: 'teams', params: { limit: 200 } }),
      transformResponse: (answer: Page<Team>) => answer.items,
      providesTags: ['Team'],
    }),
  }),
})

export const { useRolesQuery, useTeamsQuery } = directory
