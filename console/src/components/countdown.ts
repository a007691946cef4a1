import { useEffect, useState } from 'react'

/** Seconds left of `seconds`, counted from when `since` (for example an error) became another one. */
export function useCountdown(seconds: number | undefined, since: unknown): number {
  const [passed, setPassed] = useState({ since, seconds: 0 })
  if (passed.since !== since) setPassed({ since, seconds: 0 })
  useEffect(() => {
    if (!seconds) return
    const start = Date.now()
    const timer = setInterval(() => {
      const gone = Math.floor((Date.now() - start) / 1000)
      setPassed({ since, seconds: gone })
      if (gone >= seconds) clearInterval(timer)
    }, 500)
    return () => clearInterval(timer)
  }, [seconds, since])
  return seconds ? Math.max(0, seconds - passed.seconds) : 0
}
