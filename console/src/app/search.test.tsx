import { screen, waitFor, within } from '@testing-library/react'

import { choose } from '@/testing/choose'
import { makeDownload, makeFound, makeRemote, makeRemoteFile, makeVariant } from '@/testing/data'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'

let hub: TestHub
const list = (...items: unknown[]) => ({ data: { items, next: null } })

beforeEach(async () => {
  hub = await startHub()
  hub.on('GET sources', list({ name: 'huggingface', title: 'Hugging Face', description: 'The Hub.', searchable: true }))
  hub.on('GET search', list(makeFound()))
  hub.on('POST downloads', { status: 202, data: makeDownload() })
})
afterEach(() => hub.stop())

const quants = makeRemote({
  files: [
    makeRemoteFile({ path: 'README.md', here: true }),
    makeRemoteFile({ path: 'm-Q4_K_M.gguf', size: 4096 }),
    makeRemoteFile({ path: 'm-Q8_0.gguf', size: 8192 }),
    makeRemoteFile({ path: 'old.bin', size: 100, safe: false }),
  ],
  variants: [
    makeVariant({ files: ['README.md', 'm-Q4_K_M.gguf'], recommended: true, reason: 'The usual middle.', missing: 4096 }),
    makeVariant({ name: 'Q8_0', title: 'Q8_0', files: ['README.md', 'm-Q8_0.gguf'], fits_memory: false }),
    makeVariant({ name: 'Q2_K', title: 'Q2_K', files: ['m-Q2_K.gguf'], complete: false }),
  ],
  card: { text: '# Many', metadata: { license: 'mit', base_model: ['org/base'], language: 'en', datasets: { bad: 1 } } },
})

const asked = () => hub.calls.find(({ method, path }) => method === 'POST' && path === 'downloads')?.body

test('a variant is chosen with its price in view', async () => {
  hub.on('GET search/model', { data: quants })
  const { user } = renderApp(hub, '/search?model=org/tiny')
  const drawer = await screen.findByRole('dialog')
  expect(await within(drawer).findByText('org/base')).toBeVisible()
  expect(within(drawer).queryByText('Trained on')).toBeNull()
  await user.click(within(drawer).getByRole('tab', { name: 'Variants (3)' }))
  expect(within(drawer).getByText('The usual middle.')).toBeVisible()
  expect(within(drawer).getByRole('radio', { name: /Q4_K_M/ })).toBeChecked()
  expect(within(drawer).getByRole('radio', { name: /Q2_K/ })).toBeDisabled()
  expect(within(drawer).getByText('Needs more memory than is here')).toBeVisible()
  await user.click(within(drawer).getByRole('radio', { name: /Q8_0/ }))
  await user.click(within(drawer).getByRole('button', { name: /Download/ }))
  await waitFor(() => expect(asked()).toMatchObject({ ref: 'org/tiny', options: { quant: 'Q8_0' } }))
})

test('patterns show at once what they match, and are what is asked for', async () => {
  hub.on('GET search/model', { data: quants })
  const { user } = renderApp(hub, '/search?model=org/tiny')
  const drawer = await screen.findByRole('dialog')
  await user.click(await within(drawer).findByRole('tab', { name: 'Files (4)' }))
  expect(within(drawer).getByText('Can run code when loaded')).toBeVisible()
  await user.type(within(drawer).getByRole('combobox', { name: 'Only files like …' }), '*.gguf,')
  expect(await within(drawer).findByText('2 files, 12 KiB')).toBeVisible()
  await user.type(within(drawer).getByRole('combobox', { name: 'No files like …' }), '*Q8*,')
  expect(await within(drawer).findByText('1 file, 4 KiB')).toBeVisible()
  await user.click(within(drawer).getByRole('button', { name: /Download/ }))
  await waitFor(() => expect(asked()).toMatchObject({ include: ['*.gguf'], exclude: ['*Q8*'] }))
})

test('filters are in the address and in the question', async () => {
  const { user, router } = renderApp(hub, '/search?language=zh')
  await choose(user, 'Parameters', '6–9B')
  await choose(user, 'Access', 'Open to all')
  await waitFor(() => expect(router.state.location.search).toContain('min_parameters=6000000000'))
  await waitFor(() => {
    const last = hub.calls.filter(({ path }) => path === 'search').at(-1)
    expect(Object.fromEntries(last?.query ?? [])).toMatchObject({
      language: 'zh', min_parameters: '6000000000', max_parameters: '9000000000', gated: 'false',
    })
  })
})

test('a refusal leads to the page that settles it', async () => {
  const details = { url: 'https://hub.example/org/tiny', reason: 'not_accepted' }
  hub.on('GET search/model', { status: 403, error: 'GATED_MODEL', message: 'Accept the licence.', details })
  renderApp(hub, '/search?model=org/tiny')
  const link = await screen.findByRole('link', { name: 'Open the page at hub.example' })
  expect(link).toHaveAttribute('href', details.url)
  expect(link).toHaveAttribute('rel', expect.stringContaining('noopener'))
})
