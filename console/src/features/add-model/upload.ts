import { type ApiError, ask } from '@/lib/api-base-query'
import type { AuthStore } from '@/lib/refresh'
import type { Upload, UploadFile } from '@/types'

/** A file of this machine and its name in the model. */
export interface Chosen {
  path: string
  file: File
}

export interface Sent {
  done: number
  total: number
  /** What is being sent. */
  path: string
  /** The hub does not answer at the moment; it is asked again. */
  waiting: boolean
}

/** What sending ended with, if not with everything sent. */
export class UploadFailed extends Error {
  constructor(readonly error: ApiError) {
    super(error.message)
  }
}

const MOST_TRIES = 8
const LONGEST_WAIT = 15_000

/** Names as they will be in the model: of a chosen folder the folder's own name is left away. */
export function namesOf(files: File[]): Chosen[] {
  return files
    .map((file) => ({ file, path: file.webkitRelativePath ? file.webkitRelativePath.split('/').slice(1).join('/') : file.name }))
    .filter(({ path }) => !path.split('/').some((part) => part.startsWith('.')))
}

/** What the library will call it unless somebody knows better. */
export function nameOf(files: File[]): string {
  const first = files[0]
  if (!first) return ''
  if (first.webkitRelativePath) return first.webkitRelativePath.split('/')[0] ?? ''
  const weights = files.find(({ name }) => /\.(gguf|safetensors)$/.test(name)) ?? first
  return weights.name.replace(/\.[^.]+$/, '')
}

/** The unfinished upload of exactly these files, by names and sizes. */
export function unfinished(open: Upload[], chosen: Chosen[]): Upload | undefined {
  const sizes = new Map(chosen.map(({ path, file }) => [path, file.size]))
  return open.find(({ files }) => files.length === sizes.size && files.every(({ path, size }) => sizes.get(path) === size))
}

const wait = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })

/** tus' checksum of a piece; browsers have the means only on https and on localhost. */
async function checksum(piece: ArrayBuffer): Promise<Record<string, string>> {
  if (!globalThis.crypto?.subtle) return {}
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', piece))
  return { 'Upload-Checksum': `sha256 ${btoa(String.fromCharCode(...digest))}` }
}

interface Sending {
  upload: Upload
  chosen: Chosen[]
  store: AuthStore
  signal: AbortSignal
  onSent: (sent: Sent) => void
  /** Milliseconds before the first repetition. */
  pause?: number
}

/** Send what is missing, file after file. Resolves when all is sent or `signal` says stop; throws UploadFailed. */
export async function sendAll({ upload, chosen, store, signal, onSent, pause = 500 }: Sending): Promise<void> {
  const places = new Map(chosen.map(({ path, file }) => [path, file]))
  const sent = upload.files.map(({ offset }) => offset)
  const total = upload.size
  const tell = (index: number, waiting: boolean) =>
    onSent({ done: sent.reduce((sum, each) => sum + each, 0), total, path: upload.files[index]?.path ?? '', waiting })
  for (const [index, file] of upload.files.entries()) {
    const place = places.get(file.path)
    if (!place) continue
    let tries = 0
    while ((sent[index] ?? 0) < file.size && !signal.aborted) {
      tell(index, false)
      const answer = await sendPiece(upload, index, file, place, sent[index] ?? 0, store, signal)
      if (signal.aborted) return
      if ('offset' in answer) {
        sent[index] = answer.offset
        tries = 0
        continue
      }
      tries += 1
      const here = answer.error.details.offset
      const again = answer.error.status === 0 || answer.error.status >= 500 || answer.error.status === 429
      if (tries > MOST_TRIES || !(again || typeof here === 'number')) throw new UploadFailed(answer.error)
      if (again || answer.error.details.busy) {
        tell(index, true)
        await wait(Math.min(LONGEST_WAIT, pause * 2 ** tries), signal)
      }
      sent[index] = typeof here === 'number' ? here : await offsetNow(upload, index, sent[index] ?? 0, store)
    }
    tell(index, false)
  }
}

async function sendPiece(
  upload: Upload, index: number, { size }: UploadFile, place: File, offset: number, store: AuthStore, signal: AbortSignal,
): Promise<{ offset: number } | { error: ApiError }> {
  let bytes: ArrayBuffer
  try {
    bytes = await place.slice(offset, Math.min(size, offset + upload.chunk_size)).arrayBuffer()
  } catch {
    return { error: { status: 400, code: 'UNREADABLE', message: '', details: {} } } // moved or changed on the disk
  }
  const headers = { 'Upload-Offset': String(offset), ...(await checksum(bytes)) }
  const answer = await ask<{ offset: number }>({ url: `uploads/${upload.id}/files/${index}`, method: 'PATCH', bytes, headers, signal }, store)
  return 'data' in answer ? { offset: answer.data.offset } : answer
}

/** How far the hub is with a file; what we believed while it does not say. */
async function offsetNow(upload: Upload, index: number, believed: number, store: AuthStore): Promise<number> {
  const answer = await ask<{ offset: number }>({ url: `uploads/${upload.id}/files/${index}` }, store)
  return 'data' in answer ? answer.data.offset : believed
}
