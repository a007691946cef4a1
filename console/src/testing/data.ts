import { PERMISSIONS } from '@/lib/permissions'
import type {
  ApiKey, AuditEntry, Deployment, Download, FoundModel, Invite, Message, Model, Profile, RemoteModel, Role, SessionDetail, SessionInfo,
  Team, User,
} from '@/types'

const AT = '2025-01-02T03:04:05.000Z'

export const makeUser = (changes: Partial<User> = {}): User => ({
  id: 'u1', email: 'admin@localhost', name: 'Administrator', role: 'admin', active: true, created_at: AT, last_seen_at: AT,
  version: 1, ...changes,
})

export const makeProfile = (changes: Partial<Profile> = {}): Profile => ({
  ...makeUser(), permissions: [...PERMISSIONS], teams: [], set_up: false, has_password: true, ...changes,
})

export const signedInAnswer = (token = 'token-1', expires_in = 900, profile: Partial<Profile> = {}) => ({
  data: { access_token: token, expires_in, token_type: 'Bearer', user: makeProfile(profile) },
})

const owned = { owner_id: 'u1', owner_name: 'Administrator', visibility: 'private', team_id: null } as const

export const makeDownload = (changes: Partial<Download> = {}): Download => ({
  id: 'd1', job_id: 'j1', source: 'huggingface', ref: 'org/tiny', name: 'tiny', revision: 'main', commit: 'c0ffee',
  status: 'downloading', bytes_done: 0, bytes_total: 1000, speed: null, eta: null, message: '', note: null, error: null, model_id: null,
  waiting: null, priority: 0, position: null, rate: null, connections: null, any_time: false, resumable: null, restart_required: false,
  update_of: null, files: [], created_at: AT, updated_at: AT, version: 1, ...owned, ...changes,
})

export const makeModel = (changes: Partial<Model> = {}): Model => ({
  id: 'm1', name: 'tiny', kind: 'base', source: 'huggingface', ref: 'org/tiny', revision: 'main', commit: 'c0ffee',
  size: 2048, path: '/data/models/tiny', files: [{ path: 'model.safetensors', size: 2048, sha256: 'ab'.repeat(32) }],
  architecture: 'LlamaForCausalLM', parameters: 1_200_000, context_length: 512, dtype: 'float32', quantization: null,
  license: 'mit', tags: [], warnings: [], status: 'ready', description: '', location: 'local', hub_ref: 'org/tiny', remote_code: [],
  active_version_id: 'm1', file_count: 1, offloaded: false, parent_id: null, newer: null, checked_at: null, updated_at: AT, created_at: AT, version: 1, ...owned, ...changes,
})

export const makeDeployment = (changes: Partial<Deployment> = {}): Deployment => ({
  id: 'p1', name: 'tiny', model_id: 'm1', model_name: 'tiny', runtime: 'process', engine: 'transformers', status: 'running',
  endpoint: 'http://127.0.0.1:9999', message: '', error: null, options: {}, created_at: AT, updated_at: AT, version: 1,
  version_id: 'm1', outdated: false, ...owned, ...changes,
})

export const makeFound = (changes: Partial<FoundModel> = {}): FoundModel => ({
  ref: 'org/tiny', name: 'org/tiny', author: 'org', description: null, downloads: 12_345, likes: 6, task: 'text-generation',
  library: 'transformers', license: 'mit', gated: false, private: false, tags: [], updated_at: AT, size: null, parameters: null,
  ...changes,
})

export const makeRemoteFile = (changes: Partial<RemoteModel['files'][number]> = {}): RemoteModel['files'][number] => ({
  path: 'config.json', size: 100, sha256: null, here: false, safe: true, ...changes,
})

export const makeVariant = (changes: Partial<RemoteModel['variants'][number]> = {}): RemoteModel['variants'][number] => ({
  name: 'Q4_K_M', title: 'Q4_K_M', kind: 'gguf', files: ['tiny-Q4_K_M.gguf'], weights: ['tiny-Q4_K_M.gguf'], size: 4000, missing: 4000,
  bits: 4, safe: true, complete: true, fits_memory: true, fits_free_memory: true, fits_disk: true, recommended: false, reason: null,
  ...changes,
})

export const makeRemote = (changes: Partial<RemoteModel> = {}): RemoteModel => ({
  source: 'huggingface', ref: 'org/tiny', revision: 'main', commit: 'c0ffee', gated: false, private: false, size: 2100,
  files: [makeRemoteFile(), makeRemoteFile({ path: 'model.safetensors', size: 2000 })], variants: [],
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

export const makeSignIn = (changes: Partial<SessionInfo> = {}): SessionInfo => ({
  id: 'i1', current: true, device: 'Firefox on Linux', address: '127.0.0.1', method: 'password', created_at: AT, last_seen_at: AT,
  expires_at: AT, ...changes,
})

export const makeInvite = (changes: Partial<Invite> = {}): Invite => ({
  id: 'v1', kind: 'invite', email: 'new@example.org', role: 'user', teams: [], state: 'open', created_at: AT, expires_at: AT, ...changes,
})

export const makeRole = (changes: Partial<Role> = {}): Role => ({
  name: 'user', title: 'User', description: 'Deploys and chats.', builtin: true, permissions: ['models.read', 'chat.use'], users: 1,
  version: 1, ...changes,
})

export const makeTeam = (changes: Partial<Team> = {}): Team => ({
  id: 't1', name: 'Research', description: '', members: [], created_at: AT, version: 1, ...changes,
})

export const makeKey = (changes: Partial<ApiKey> = {}): ApiKey => ({
  id: 'k1', user_id: 'u1', name: 'Nightly', prefix: 'mh_abcdef', scopes: ['chat.use'], deployments: null, requests_per_minute: null,
  state: 'active', created_at: AT, expires_at: null, last_used_at: null, last_used_from: null, ...changes,
})

export const makeEntry = (changes: Partial<AuditEntry> = {}): AuditEntry => ({
  seq: 7, at: AT, actor_kind: 'session', actor_id: 'u1', actor_name: 'Administrator', key_id: null, action: 'deployment.create',
  object_type: 'deployment', object_id: 'p1', object_name: 'tiny', result: 'done', address: '127.0.0.1', user_agent: 'Firefox',
  request_id: 'r1', details: { runtime: 'process' }, hash: 'ab'.repeat(32), ...changes,
})
