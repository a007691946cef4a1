import { createBrowserRouter, type RouteObject } from 'react-router'

import { Door, Waiting } from '@/app/door'
import { RouteError } from '@/app/route-error'
import { paths } from '@/config/paths'

/** Every page is its own chunk: the first visit loads the shell and one page. */
export const routes: RouteObject[] = [
  {
    path: paths.login,
    HydrateFallback: Waiting,
    ErrorBoundary: RouteError,
    lazy: async () => ({ Component: (await import('@/app/routes/login')).LoginRoute }),
  },
  {
    Component: Door,
    HydrateFallback: Waiting,
    ErrorBoundary: RouteError,
    children: [
      {
        lazy: async () => ({ Component: (await import('@/app/shell')).Shell }),
        children: [
          {
            ErrorBoundary: RouteError,
            children: [
              { index: true, lazy: async () => ({ Component: (await import('@/app/routes/overview')).OverviewRoute }) },
              { path: paths.search, lazy: async () => ({ Component: (await import('@/app/routes/search')).SearchRoute }) },
              { path: paths.downloads, lazy: async () => ({ Component: (await import('@/app/routes/downloads')).DownloadsRoute }) },
              { path: paths.library, lazy: async () => ({ Component: (await import('@/app/routes/library')).LibraryRoute }) },
              { path: paths.model(':id'), lazy: async () => ({ Component: (await import('@/app/routes/model')).ModelRoute }) },
              { path: paths.deployments, lazy: async () => ({ Component: (await import('@/app/routes/deployments')).DeploymentsRoute }) },
              { path: paths.chat, lazy: async () => ({ Component: (await import('@/app/routes/chat')).ChatRoute }) },
              { path: paths.session(':id'), lazy: async () => ({ Component: (await import('@/app/routes/chat')).ChatRoute }) },
              { path: paths.jobs, lazy: async () => ({ Component: (await import('@/app/routes/jobs')).JobsRoute }) },
              { path: '*', lazy: async () => ({ Component: (await import('@/app/routes/not-found')).NotFoundRoute }) },
            ],
          },
        ],
      },
    ],
  },
]

export const makeRouter = () => createBrowserRouter(routes)
