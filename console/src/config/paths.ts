/** Every address of the console, once. */
export const paths = {
  login: '/login',
  overview: '/',
  search: '/search',
  downloads: '/downloads',
  library: '/library',
  model: (id: string) => `/library/${id}`,
  deployments: '/deployments',
  chat: '/chat',
  session: (id: string) => `/chat/${id}`,
  jobs: '/jobs',
} as const
