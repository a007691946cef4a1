import { useEffect, useState } from 'react'
import { useLocation, useNavigate } from 'react-router'

import { useSilentEntry } from '@/app/enter'
import { paths } from '@/config/paths'
import { JoinPage } from '@/features/auth/join-page'

/** The token comes after the `#`, which is in no request for a page and no Referer; it leaves the address bar and the history
 *  at once, and lives in memory until it is used. */
export function JoinRoute() {
  const { hash } = useLocation()
  const navigate = useNavigate()
  const [token, setToken] = useState('')
  const brought = hash.slice(1)
  if (brought && brought !== token) setToken(brought)
  useSilentEntry()
  useEffect(() => {
    if (brought) void navigate(paths.join, { replace: true })
  }, [brought, navigate])
  return <JoinPage key={token} token={token} onJoined={() => void navigate(paths.overview, { replace: true })} />
}
