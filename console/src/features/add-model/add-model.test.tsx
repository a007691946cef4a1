/** Every way to bring a model in that is not a search: sent from here, from an address, from the hub's own machine. */
import { screen, waitFor, within } from '@testing-library/react'

import { makeDownload } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'
import type { Upload } from '@/types'

import { nameOf, namesOf, unfinished } from './upload'
import { requestOf } from './url-tab'

const AT = '2025-01-02T03:04:05.000Z'
const TEXT = 'GGUF' + 'x'.repeat(96)
const file = (name: string, text = TEXT, folder = '') => {
  const made = new File([text], name)
  Object.defineProperty(made, 'webkitRelativePath', { value: folder })
  return made
}
const uploadOf = (offset: number, changes: Partial<Upload> = {}): Upload => ({
  id: 'u1', name: 'tiny', status: 'open', size: TEXT.length, bytes_done: offset, chunk_size: 40, download_id: null,
  files: [{ path: 'tiny.gguf', size: TEXT.length, sha256: null, offset }], expires_at: AT, created_at: AT, version: 1,
  owner_id: 'u1', owner_name: 'Administrator', visibility: 'private', team_id: null, ...changes,
})

let hub: TestHub
let here = ''
beforeEach(async () => {
  hub = await startHub()
  here = ''
  hub.on('GET uploads', { data: { items: [], next: null } })
  hub.on('GET uploads/u1', () => ({ data: uploadOf(here.length) }))
  hub.on('GET uploads/u1/files/0', () => ({ data: { offset: here.length, size: TEXT.length } }))
  hub.on('POST uploads', { status: 201, data: uploadOf(0) })
  hub.on('PATCH uploads/u1/files/0', ({ body, headers }) => {
    if (Number(headers['upload-offset']) !== here.length) {
      return { status: 409, error: 'CONFLICT', message: 'Not there.', details: { offset: here.length } }
    }
    here += body as string
    return { data: { offset: here.length, size: TEXT.length } }
  })
  hub.on('POST uploads/u1/complete', { status: 202, data: makeDownload({ source: 'upload', name: 'tiny' }) })
})
afterEach(() => hub.stop())

const pieces = () => hub.calls.filter(({ method }) => method === 'PATCH').map(({ headers }) => Number(headers['upload-offset']))
const chosen = async (...files: File[]) => {
  const app = renderApp(hub, '/add?from=upload')
  await screen.findByRole('button', { name: /Choose files/ })
  await app.user.upload(screen.getByLabelText('Choose files', { selector: 'input' }), files)
  return app
}

test('a file is sent in pieces, completed, and its download shown', async () => {
  const { user, router } = await chosen(file('tiny.gguf'))
  expect(screen.getByRole('textbox', { name: /Name/ })).toHaveValue('tiny')
  await user.click(screen.getByRole('button', { name: /Send/ }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/downloads'))
  expect(here).toBe(TEXT)
  expect(pieces()).toEqual([0, 40, 80])
  expect(hub.calls.find(({ path, method }) => path === 'uploads' && method === 'POST')?.body).toEqual({
    name: 'tiny', files: [{ path: 'tiny.gguf', size: 100 }],
  })
})

test('the same files chosen again go on where they were', async () => {
  here = TEXT.slice(0, 60)
  hub.on('GET uploads', { data: { items: [uploadOf(60)], next: null } })
  const { user, router } = await chosen(file('tiny.gguf'))
  await user.click(await screen.findByRole('button', { name: /Go on/ }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/downloads'))
  expect(here).toBe(TEXT)
  expect(pieces()).toEqual([60])
  expect(hub.calls.some(({ path, method }) => path === 'uploads' && method === 'POST')).toBe(false)
})

test('what the hub has further, or cannot take now, is asked for and gone on from', async () => {
  let refused = 0
  hub.on('PATCH uploads/u1/files/0', ({ body, headers }) => {
    if (Number(headers['upload-offset']) === 40 && refused++ === 0) {
      here = TEXT.slice(0, 50) // it arrived further than its answer
      return { status: 409, error: 'CONFLICT', message: 'Further.', details: { offset: 50 } }
    }
    here += body as string
    return { data: { offset: here.length, size: TEXT.length } }
  })
  const { user, router } = await chosen(file('tiny.gguf'))
  await user.click(screen.getByRole('button', { name: /Send/ }))
  await waitFor(() => expect(router.state.location.pathname).toBe('/downloads'))
  expect(here).toBe(TEXT)
  expect(pieces()).toEqual([0, 40, 50, 90])
})

test('a refusal stands there in the hub\'s words, and the upload can be given up', async () => {
  hub.on('PATCH uploads/u1/files/0', { status: 507, error: 'OUT_OF_SPACE', message: 'The disk is full.' })
  hub.on('POST uploads', { status: 507, error: 'OUT_OF_SPACE', message: 'There is no room.' })
  hub.on('GET uploads', { data: { items: [uploadOf(10, { name: 'other', files: [] })], next: null } })
  hub.on('DELETE uploads/u1', { data: {} })
  const { user } = await chosen(file('tiny.gguf'))
  await user.click(screen.getByRole('button', { name: /Send/ }))
  expect(await screen.findByText('There is no room.')).toBeVisible()
  const row = await screen.findByRole('listitem', { name: 'other' })
  await user.click(within(row).getByRole('button', { name: 'Give up' }))
  await user.click(within(await screen.findByRole('tooltip')).getByRole('button', { name: 'Give up' }))
  await waitFor(() => expect(hub.calls.some(({ method, path }) => method === 'DELETE' && path === 'uploads/u1')).toBe(true))
})

test('an address becomes a download, a folder of the hub is adopted', async () => {
  hub.on('POST downloads', { status: 202, data: makeDownload() })
  const first = renderApp(hub, '/add?from=url')
  await first.user.type(await screen.findByRole('textbox', { name: 'Address of the file' }), 'https://example.org/a.gguf')
  await first.user.click(screen.getByRole('button', { name: /Download/ }))
  await waitFor(() => expect(first.router.state.location.pathname).toBe('/downloads'))
  expect(hub.calls.findLast(({ path, method }) => path === 'downloads' && method === 'POST')?.body).toEqual({
    source: 'url', ref: 'https://example.org/a.gguf', options: {},
  })
  hub.on('GET folders/scan', {
    data: {
      folders: ['/data'], truncated: false,
      found: [{
        path: '/data/m', name: 'org/m', ref: 'org/m', revision: 'main', commit: 'c', layout: 'huggingface', kind: 'base', size: 5,
        files: [], adoptable: true, model_id: null,
      }],
    },
  })
  await first.router.navigate('/add?from=folder')
  await first.user.click(await screen.findByRole('button', { name: 'Use org/m where it is' }))
  await waitFor(() => expect(hub.calls.findLast(({ path, method }) => path === 'downloads' && method === 'POST')?.body).toEqual({
    source: 'folder', ref: '/data/m', options: { mode: 'adopt' },
  }))
})

test('names are those in the model, and the same files are known again', () => {
  const files = [file('model.safetensors', TEXT, 'mine/model.safetensors'), file('x', TEXT, 'mine/sub/x'), file('c', TEXT, 'mine/.git/c')]
  expect(namesOf(files).map(({ path }) => path)).toEqual(['model.safetensors', 'sub/x'])
  expect(nameOf(files)).toBe('mine')
  expect(nameOf([file('README.md'), file('tiny-Q4.gguf')])).toBe('tiny-Q4')
  const same = namesOf([file('tiny.gguf')])
  expect(unfinished([uploadOf(1)], same)?.id).toBe('u1')
  expect(unfinished([uploadOf(1)], namesOf([file('tiny.gguf', 'short')]))).toBeUndefined()
  expect(requestOf({ url: ' https://a/b ', more: 'https://a/c\n\n', name: 'x' }).options).toEqual({
    files: [{ url: 'https://a/c' }], name: 'x',
  })
})
