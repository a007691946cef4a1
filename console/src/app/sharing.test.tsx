/** Who sees a thing: shown, changed, and chosen when it is made. */
import { screen, waitFor, within } from '@testing-library/react'

import { choose } from '@/testing/choose'
import { makeDeployment, makeDownload, makeFound, makeModel, makeRemote, makeTeam } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'

const list = (...items: unknown[]) => ({ data: { items, next: null } })
const last = (method: string, path: string) => hub.calls.findLast((call) => call.path === path && call.method === method)
const permissions = ['models.read', 'models.write', 'deployments.read', 'deployments.write', 'downloads.read', 'downloads.write']
const teams = [{ id: 't1', name: 'Research', manager: false }]

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
  hub.on('GET teams', list(makeTeam()))
})
afterEach(() => hub.stop())

test('a model is shared with a team; everybody is out of reach without the permission', async () => {
  hub.on('GET models', list(makeModel()))
  hub.on('PUT models/m1/sharing', () => {
    const shared = makeModel({ visibility: 'team', team_id: 't1' })
    hub.on('GET models', list(shared))
    return { data: shared }
  })
  const { user } = renderApp(hub, '/library', { profile: { permissions, teams } })
  const row = await screen.findByRole('listitem', { name: 'tiny' })
  expect(within(row).getByText('Private')).toBeVisible()
  await user.click(within(row).getByRole('button', { name: 'Share tiny' }))
  await user.click(await screen.findByRole('combobox', { name: 'Who sees it' }))
  const everybody = await screen.findByText('Everybody', { selector: '.ant-select-item-option-content' })
  expect(everybody.closest('.ant-select-item-option-disabled')).not.toBeNull()
  await user.click(await screen.findByText('Team Research', { selector: '.ant-select-item-option-content' }))
  await user.click(screen.getByRole('button', { name: 'Save' }))
  expect(await within(row).findByText('Research')).toBeVisible()
  expect(last('PUT', 'models/m1/sharing')?.body).toEqual({ visibility: 'team', team_id: 't1' })
})

test('somebody else\'s model may be deployed, not shared or deleted', async () => {
  hub.on('GET models', list(makeModel({ owner_id: 'u2', owner_name: 'Ada', visibility: 'public' })))
  renderApp(hub, '/library', { profile: { permissions, teams } })
  expect(await screen.findByRole('button', { name: 'Deploy tiny' })).toBeVisible()
  expect(screen.queryByRole('button', { name: /Share|Delete/ })).toBeNull()
})

test('a refusal to share stands in the dialog', async () => {
  hub.on('GET deployments', list(makeDeployment()))
  hub.on('PUT deployments/p1/sharing', { status: 403, error: 'FORBIDDEN', message: 'You are not in this team.' })
  const { user } = renderApp(hub, '/deployments', { profile: { permissions: [...permissions, 'share.public'], teams } })
  await user.click(await screen.findByRole('button', { name: 'Share tiny' }))
  await choose(user, 'Who sees it', 'Everybody')
  await user.click(screen.getByRole('button', { name: 'Save' }))
  expect(await screen.findByText('You are not in this team.')).toBeInTheDocument()
  expect(last('PUT', 'deployments/p1/sharing')?.body).toEqual({ visibility: 'public', team_id: null })
})

test('who sees a new download or deployment is chosen with it', async () => {
  hub.on('GET search', list(makeFound()))
  hub.on('GET search/model', { data: makeRemote() })
  hub.on('POST downloads', { status: 202, data: makeDownload() })
  const { user } = renderApp(hub, '/search?model=org/tiny', { profile: { permissions, teams } })
  await choose(user, 'Who sees it', 'Team Research')
  await user.click(await screen.findByRole('button', { name: /Download/ }))
  await waitFor(() => expect(last('POST', 'downloads')?.body).toMatchObject({ visibility: 'team', team_id: 't1' }))
})
