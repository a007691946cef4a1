/** The Ollama server: what it holds, pulling, making, copying and deleting there. */
import { screen, waitFor, within } from '@testing-library/react'

import { parametersOf } from '@/features/ollama/create-dialog'
import { makeDownload, makeModel } from '@/testing/data'
import { choose } from '@/testing/choose'
import { startHub, type TestHub } from '@/testing/hub'
import { renderApp } from '@/testing/render'
import type { OllamaModel, OllamaStatus } from '@/types'

let hub: TestHub
beforeEach(async () => {
  hub = await startHub()
})
afterEach(() => hub.stop())

const last = (method: string, path: string) => hub.calls.findLast((call) => call.path === path && call.method === method)

const held = (changes: Partial<OllamaModel> = {}): OllamaModel => ({
  name: 'tiny:1b', digest: 'ab'.repeat(32), size: 1000, modified_at: '2025-01-02T03:04:05Z', family: 'llama', parameter_size: '1.2B',
  quantization: 'Q8_0', model_id: null, ...changes,
})
const status = (changes: Partial<OllamaStatus> = {}): { data: OllamaStatus } => ({
  data: { host: 'http://127.0.0.1:11434', reachable: true, version: '0.12.6', error: null, warnings: [], models: [held()], running: [], ...changes },
})

test('what the server holds and runs, and one model in full', async () => {
  const running = [{ name: 'tiny:1b', size: 2000, size_vram: 0, context_length: 4096, expires_at: null }]
  hub.on('GET ollama', status({ models: [held({ model_id: 'm1' })], running, warnings: ['It is too old to say more.'] }))
  hub.on('GET ollama/models/tiny%3A1b', {
    data: {
      name: 'tiny:1b', format: 'gguf', family: 'llama', parameter_size: '1.2B', quantization: 'Q8_0', parent: null, parameters: 1_200_000_000,
      context_length: 131_072, capabilities: ['completion'], license: 'Apache License', template: '{{ .Prompt }}', settings: 'temperature 0.6',
      modelfile: '', modified_at: null,
    },
  })
  const { user } = renderApp(hub, '/ollama-server')
  const row = await screen.findByRole('listitem', { name: 'tiny:1b' })
  expect(screen.getByText('Ollama 0.12.6 at http://127.0.0.1:11434')).toBeVisible()
  expect(screen.getByText('It is too old to say more.')).toBeVisible()
  expect(within(row).getByText(/^In memory, /)).toBeVisible()
  expect(within(row).getByRole('link', { name: /Open in library/ })).toHaveAttribute('href', '/library/m1')
  await user.click(within(row).getByRole('button', { name: 'Show tiny:1b' }))
  expect(await screen.findByText('131,072')).toBeInTheDocument()
  await user.click(screen.getByRole('tab', { name: 'License' }))
  expect(await screen.findByText('Apache License')).toBeInTheDocument()
})

test('a server that is away says what to do', async () => {
  const error = { code: 'UPSTREAM_UNREACHABLE', message: 'No Ollama server answers.', details: {} }
  hub.on('GET ollama', status({ reachable: false, version: null, models: [], error }))
  renderApp(hub, '/ollama-server')
  expect(await screen.findByText('No Ollama server answers.')).toBeVisible()
  expect(screen.queryByRole('button', { name: /Create a model/ })).toBeNull()
})

test('a name is pulled as a download', async () => {
  hub.on('GET ollama', status())
  hub.on('POST downloads', { status: 202, data: makeDownload({ source: 'ollama', ref: 'llama3.2:1b' }) })
  const { user } = renderApp(hub, '/ollama-server')
  await user.type(await screen.findByLabelText("Name of a model in Ollama's library"), 'llama3.2:1b')
  await user.click(screen.getByRole('button', { name: /Pull/ }))
  await waitFor(() => expect(last('POST', 'downloads')?.body).toEqual({ source: 'ollama', ref: 'llama3.2:1b' }))
})

test('a model is copied, and deleted after a question', async () => {
  hub.on('GET ollama', status())
  hub.on('POST ollama/models/tiny%3A1b/copy', { data: {} })
  hub.on('DELETE ollama/models/tiny%3A1b', () => {
    hub.on('GET ollama', status({ models: [] }))
    return { data: {} }
  })
  const { user } = renderApp(hub, '/ollama-server')
  await user.click(await screen.findByRole('button', { name: 'Copy tiny:1b' }))
  await user.type(await screen.findByLabelText('Second name'), 'second{Enter}')
  await waitFor(() => expect(last('POST', 'ollama/models/tiny%3A1b/copy')?.body).toEqual({ to: 'second' }))
  await user.click(screen.getByRole('button', { name: 'Delete tiny:1b on the server' }))
  await user.click(await screen.findByRole('button', { name: 'Delete' }))
  expect(await screen.findByText('The server holds no models')).toBeVisible()
})

test('a model of the library is made one there, and watched', async () => {
  const files = ['a.Q4.gguf', 'a.Q8.gguf'].map((path) => ({ path, size: 10, sha256: null }))
  hub.on('GET ollama', status())
  hub.on('GET models', { data: { items: [makeModel({ name: 'mine', kind: 'gguf', files })], next: null } })
  const job = { id: 'j9', kind: 'ollama_create', state: 'running', progress: { bytes_done: 5, bytes_total: 10, message: 'sending a.Q8.gguf' } }
  hub.on('POST ollama/models', { status: 202, data: job })
  let state = 'running'
  hub.on('GET jobs/j9', () => ({ data: { ...job, state } }))
  const { user } = renderApp(hub, '/ollama-server')
  await user.click(await screen.findByRole('button', { name: /Create a model/ }))
  await choose(user, "From the library's model", 'mine')
  await choose(user, 'GGUF file', 'a.Q8.gguf')
  await user.type(screen.getByLabelText('Name on the server'), 'made')
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Create a model' }))
  expect(await screen.findByText('sending a.Q8.gguf')).toBeInTheDocument()
  expect(last('POST', 'ollama/models')?.body).toEqual({ model_id: 'm1', file: 'a.Q8.gguf', name: 'made' })
  state = 'completed'
  expect(await screen.findByText('The model is on the Ollama server.', {}, { timeout: 4000 })).toBeInTheDocument()
})

test('who may not manage the server only looks', async () => {
  hub.on('GET ollama', status())
  renderApp(hub, '/ollama-server', { profile: { permissions: ['models.read'] } })
  expect(await screen.findByRole('listitem', { name: 'tiny:1b' })).toBeVisible()
  expect(screen.queryByRole('button', { name: /Copy|Delete|Create|Pull/ })).toBeNull()
})

test('what Ollama keeps is deleted there only when it is asked for', async () => {
  hub.on('GET models', { data: { items: [makeModel({ name: 'tiny:1b', location: 'ollama', path: '' })], next: null } })
  hub.on('DELETE models/m1', { data: {} })
  const { user } = renderApp(hub, '/library')
  await user.click(await screen.findByRole('button', { name: 'Delete tiny:1b' }))
  await user.click(await screen.findByRole('checkbox', { name: 'Delete it on the Ollama server too' }))
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Delete' }))
  await waitFor(() => expect(last('DELETE', 'models/m1')?.query.get('on_server')).toBe('true'))
})

test('parameters as a Modelfile has them', () => {
  expect(parametersOf('temperature 0.7\n\nstop "###"\nstop END\nnum_ctx 4096')).toEqual({ temperature: 0.7, stop: ['###', 'END'], num_ctx: 4096 })
  expect(parametersOf('stop ###')).toEqual({ stop: ['###'] })
  expect(parametersOf(' \n')).toBeUndefined()
})
