import type { Profile, Visibility } from '@/types'

/** What a role can include, in the order people think of it. */
export const PERMISSIONS = [
  'models.read', 'models.write', 'downloads.read', 'downloads.write', 'deployments.read', 'deployments.write', 'chat.use',
  'jobs.read', 'jobs.write', 'system.read', 'keys.use', 'share.public', 'all.read', 'all.write', 'teams.manage',
  'folders.use', 'ollama.manage', 'intake.release', 'settings.manage',
  'users.read', 'users.manage', 'roles.manage', 'audit.read',
] as const

export type PermissionName = (typeof PERMISSIONS)[number]

/** As people think of them; ones this console does not know come last. */
export const inOrder = (names: readonly string[]): string[] => [
  ...PERMISSIONS.filter((name) => names.includes(name)),
  ...names.filter((name) => !(PERMISSIONS as readonly string[]).includes(name)),
]

/** What a program's key can never do, whatever its owner may. */
export const NEVER_FOR_KEYS: readonly string[] = ['keys.use', 'users.manage', 'roles.manage']

export interface Owned {
  owner_id: string | null
  visibility: Visibility
  team_id: string | null
}

/** One's own, what a team one manages shares, or everything with `all.write`. */
export function mayChange(thing: Owned, who: Profile | null): boolean {
  if (!who) return false
  if (thing.owner_id === who.id || who.permissions.includes('all.write')) return true
  return thing.visibility === 'team' && who.teams.some(({ id, manager }) => manager && id === thing.team_id)
}

/** A role may be given by who holds all of it. */
export const holdsAll = (permissions: readonly string[], who: Profile | null): boolean =>
  permissions.every((name) => who?.permissions.includes(name))
