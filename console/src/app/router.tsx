import { createBrowserRouter, type RouteObject } from 'react-router'

import { Allowed } from '@/app/allowed'
import { Door, Waiting } from '@/app/door'
import { RouteError } from '@/app/route-error'
import { paths } from '@/config/paths'
import type { PermissionName } from '@/lib/permissions'

/** Pages for who holds a permission. */
const needing = (permission: PermissionName, children: RouteObject[]): RouteObject => ({
  element: <Allowed permission={permission} />,
  children,
})

const before = { HydrateFallback: Waiting, ErrorBoundary: RouteError }

/** Every page is its own chunk: the first visit loads the shell and one page. */
export const routes: RouteObject[] = [
  { path: paths.login, ...before, lazy: async () => ({ Component: (await import('@/app/routes/login')).LoginRoute }) },
  { path: paths.register, ...before, lazy: async () => ({ Component: (await import('@/app/routes/register')).RegisterRoute }) },
  { path: paths.join, ...before, lazy: async () => ({ Component: (await import('@/app/routes/join')).JoinRoute }) },
  {
    Component: Door,
    ...before,
    children: [
      {
        lazy: async () => ({ Component: (await import('@/app/shell')).Shell }),
        children: [
          {
            ErrorBoundary: RouteError,
            children: [
              { index: true, lazy: async () => ({ Component: (await import('@/app/routes/overview')).OverviewRoute }) },
              needing('models.read', [
                { path: paths.search, lazy: async () => ({ Component: (await import('@/app/routes/search')).SearchRoute }) },
                { path: paths.library, lazy: async () => ({ Component: (await import('@/app/routes/library')).LibraryRoute }) },
                { path: paths.store, lazy: async () => ({ Component: (await import('@/app/routes/store')).StoreRoute }) },
                { path: paths.storage, lazy: async () => ({ Component: (await import('@/app/routes/storage')).StorageRoute }) },
                { path: paths.ollama, lazy: async () => ({ Component: (await import('@/app/routes/ollama')).OllamaRoute }) },
                { path: paths.model(':id'), lazy: async () => ({ Component: (await import('@/app/routes/model')).ModelRoute }) },
              ]),
              needing('downloads.write', [
                { path: paths.add, lazy: async () => ({ Component: (await import('@/app/routes/add-model')).AddModelRoute }) },
              ]),
              needing('downloads.read', [
                { path: paths.downloads, lazy: async () => ({ Component: (await import('@/app/routes/downloads')).DownloadsRoute }) },
              ]),
              needing('deployments.read', [
                { path: paths.deployments, lazy: async () => ({ Component: (await import('@/app/routes/deployments')).DeploymentsRoute }) },
              ]),
              needing('chat.use', [
                { path: paths.chat, lazy: async () => ({ Component: (await import('@/app/routes/chat')).ChatRoute }) },
                { path: paths.session(':id'), lazy: async () => ({ Component: (await import('@/app/routes/chat')).ChatRoute }) },
              ]),
              needing('jobs.read', [
                { path: paths.jobs, lazy: async () => ({ Component: (await import('@/app/routes/jobs')).JobsRoute }) },
              ]),
              { path: paths.account, lazy: async () => ({ Component: (await import('@/app/routes/account')).AccountRoute }) },
              { path: paths.sessions, lazy: async () => ({ Component: (await import('@/app/routes/account')).AccountRoute }) },
              needing('keys.use', [
                { path: paths.keys, lazy: async () => ({ Component: (await import('@/app/routes/account')).AccountRoute }) },
              ]),
              { path: paths.teams, lazy: async () => ({ Component: (await import('@/app/routes/teams')).TeamsRoute }) },
              needing('users.read', [
                { path: paths.users, lazy: async () => ({ Component: (await import('@/app/routes/users')).UsersRoute }) },
                { path: paths.roles, lazy: async () => ({ Component: (await import('@/app/routes/roles')).RolesRoute }) },
              ]),
              needing('users.manage', [
                { path: paths.invites, lazy: async () => ({ Component: (await import('@/app/routes/users')).UsersRoute }) },
                { path: paths.lockouts, lazy: async () => ({ Component: (await import('@/app/routes/users')).UsersRoute }) },
              ]),
              needing('intake.release', [
                { path: paths.quarantine, lazy: async () => ({ Component: (await import('@/app/routes/quarantine')).QuarantineRoute }) },
              ]),
              needing('settings.manage', [
                { path: paths.settings, lazy: async () => ({ Component: (await import('@/app/routes/settings')).SettingsRoute }) },
              ]),
              needing('audit.read', [
                { path: paths.audit, lazy: async () => ({ Component: (await import('@/app/routes/audit')).AuditRoute }) },
              ]),
              { path: '*', lazy: async () => ({ Component: (await import('@/app/routes/not-found')).NotFoundRoute }) },
            ],
          },
        ],
      },
    ],
  },
]

export const makeRouter = () => createBrowserRouter(routes)
