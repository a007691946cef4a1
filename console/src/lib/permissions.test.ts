import { makeProfile } from '@/testing/data'

import { holdsAll, mayChange } from './permissions'

const team = { id: 't1', name: 'Research', manager: true }
const thing = { owner_id: 'u2', visibility: 'team', team_id: 't1' } as const

test('one may change one\'s own, what one\'s team shares when one manages it, or everything', () => {
  const user = makeProfile({ permissions: ['deployments.write'] })
  expect(mayChange({ ...thing, owner_id: 'u1' }, user)).toBe(true)
  expect(mayChange(thing, user)).toBe(false)
  expect(mayChange(thing, { ...user, teams: [{ ...team, manager: false }] })).toBe(false)
  expect(mayChange(thing, { ...user, teams: [team] })).toBe(true)
  expect(mayChange({ ...thing, visibility: 'private' }, { ...user, teams: [team] })).toBe(false)
  expect(mayChange(thing, { ...user, permissions: ['all.write'] })).toBe(true)
  expect(mayChange(thing, null)).toBe(false)
})

test('a role is given by who holds all of it', () => {
  expect(holdsAll(['chat.use'], makeProfile({ permissions: ['chat.use'] }))).toBe(true)
  expect(holdsAll(['chat.use', 'audit.read'], makeProfile({ permissions: ['chat.use'] }))).toBe(false)
})
