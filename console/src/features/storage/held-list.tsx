import { Link } from 'react-router'

import { paths } from '@/config/paths'
import type { Storage } from '@/types'

export function HeldList({ held }: { held: Storage['held'] }) {
  return (
    <ul className="consequences">
      {held.map(({ id, name, waiting }) => (
        <li key={id}><Link to={paths.downloads}>{name}</Link>: {waiting.message}</li>
      ))}
    </ul>
  )
}
