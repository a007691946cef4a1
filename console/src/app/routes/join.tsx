import { useEffect, useState } from 'react'
import { useLocation, useNavigate } from 'react-router'

import { useSilentEntry } from '@/app/enter'
import { paths } from '@/config/paths'
import { JoinPage } from '@/features/auth/join-page'

/** The token came after the `#`, which no server sees; it leaves the address bar at once, for shoulders and histories. */
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
