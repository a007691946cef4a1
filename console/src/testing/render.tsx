import { render } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { createMemoryRouter } from 'react-router'
import { onTestFinished } from 'vitest'

import { Providers } from '@/app/providers'
import { routes } from '@/app/router'
import { makeStore } from '@/app/store'
import { sessionHint, signedOut } from '@/lib/auth-slice'

import type { Profile } from '@/types'

import { signedInAnswer } from './data'
import type { TestHub } from './hub'

/** The whole console at an address, talking to the test's hub; signed in through the silent refresh. */
export function renderApp(hub: TestHub, address: string, { signedIn = true, profile = {} }: { signedIn?: boolean; profile?: Partial<Profile> } = {}) {
  if (signedIn) {
    sessionHint.set()
    hub.on('POST auth/refresh', signedInAnswer('token-1', 900, profile))
  }
  const store = makeStore(hub.origin)
  // Leaving takes with it what the sockets have told.
  onTestFinished(() => void store.dispatch(signedOut()))
  const router = createMemoryRouter(routes, { initialEntries: [address] })
  render(<Providers store={store} router={router} />)
  return { store, router, user: userEvent.setup() }
}
