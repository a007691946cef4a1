import type { Deployment, Download, FoundModel, Message, Model, RemoteModel, SessionDetail, User } from '@/types'

const AT = '2025-01-02T03:04:05.000Z'

export const user: User = { id: 'u1', email: 'admin@localhost', name: 'Administrator', role: 'admin', created_at: AT }

export const signedInAnswer = (token = 'token-1', expires_in = 900) => ({
  data: { access_token: token, expires_in, token_type: 'Bearer', user },
})

export const makeDownload = (changes: Partial<Download> = {}): Download => ({
  id: 'd1', job_id: 'j1', source: 'huggingface', ref: 'org/tiny', name: 'tiny', revision: 'main', commit: 'c0ffee',
  status: 'downloading', bytes_done: 0, bytes_total: 1000, speed: null, eta: null, message: '', error: null, model_id: null,
  files: [], created_at: AT, updated_at: AT, version: 1, ...changes,
})

export const makeModel = (changes: Partial<Model> = {}): Model => ({
  id: 'm1', name: 'tiny', kind: 'base', source: 'huggingface', ref: 'org/tiny', revision: 'main', commit: 'c0ffee',
  size: 2048, path: '/data/models/tiny', files: [{ path: 'model.safetensors', size: 2048, sha256: 'ab'.repeat(32) }],
  architecture: 'LlamaForCausalLM', parameters: 1_200_000, context_length: 512, dtype: 'float32', quantization: null,
  license: 'mit', tags: [], warnings: [], status: 'ready', created_at: AT, version: 1, ...changes,
})

export const makeDeployment = (changes: Partial<Deployment> = {}): Deployment => ({
  id: 'p1', name: 'tiny', model_id: 'm1', model_name: 'tiny', runtime: 'process', engine: 'transformers', status: 'running',
  endpoint: 'http://127.0.0.1:9999', message: '', error: null, options: {}, created_at: AT, updated_at: AT, version: 1, ...changes,
})

export const makeFound = (changes: Partial<FoundModel> = {}): FoundModel => ({
  ref: 'org/tiny', name: 'org/tiny', author: 'org', description: null, downloads: 12_345, likes: 6, task: 'text-generation',
  library: 'transformers', license: 'mit', gated: false, private: false, tags: [], updated_at: AT, size: null, parameters: null,
  ...changes,
})

export const makeRemote = (changes: Partial<RemoteModel> = {}): RemoteModel => ({
  source: 'huggingface', ref: 'org/tiny', revision: 'main', commit: 'c0ffee', gated: false, private: false, size: 2100,
  files: [{ path: 'config.json', size: 100, sha256: null }, { path: 'model.safetensors', size: 2000, sha256: null }],
  revisions: [{ name: 'main', kind: 'branch', commit: 'c0ffee' }], card: { text: '# Tiny', metadata: {} }, ...changes,
})

export const makeMessage = (changes: Partial<Message> = {}): Message => ({
  id: 'a1', session_id: 's1', role: 'assistant', content: '', status: 'complete', error: null, finish_reason: 'stop',
  prompt_tokens: null, completion_tokens: null, ttft_ms: null, duration_ms: null, created_at: AT, ...changes,
})

export const makeSession = (changes: Partial<SessionDetail> = {}): SessionDetail => ({
  id: 's1', title: 'A talk', deployment_id: 'p1', deployment_name: 'tiny', system_prompt: null,
  options: { temperature: null, top_p: null, top_k: null, max_tokens: null, seed: null },
  created_at: AT, updated_at: AT, messages: [], ...changes,
})
