import { api } from '@/lib/api'
import type { Permission, Role, RoleRequest } from '@/types'

const roles = api.injectEndpoints({
  endpoints: (build) => ({
    permissions: build.query<Permission[], void>({
      query: () => ({ url: 'permissions' }),
      transformResponse: (answer: { items: Permission[] }) => answer.items,
      keepUnusedDataFor: 3600,
    }),
    saveRole: build.mutation<Role, { role: RoleRequest; isNew: boolean }>({
      query: ({ role: { name, ...rest }, isNew }) =>
        isNew ? { url: 'roles', method: 'POST', body: { name, ...rest } } : { url: `roles/${name}`, method: 'PATCH', body: rest },
      invalidatesTags: (_answer, error) => (error ? [] : ['Role']),
    }),
    removeRole: build.mutation<unknown, string>({
      query: (name) => ({ url: `roles/${name}`, method: 'DELETE' }),
      invalidatesTags: (_answer, error) => (error ? [] : ['Role']),
    }),
  }),
})

export const { usePermissionsQuery, useSaveRoleMutation, useRemoveRoleMutation } = roles
