import type { DownloadRequest, RemoteModel } from '@/types'

/** The API takes at most this many globs a list. */
export const MOST_GLOBS = 200

/** A path as a glob that means only itself (fnmatch rules: a bracket holds one literal character). */
export const literal = (path: string) => path.replace(/[[*?]/g, (character) => `[${character}]`)

/** The request for some files of a model: everything, or the shorter of the two lists. Null: too scattered to say. */
export function requestFor(model: RemoteModel, chosen: ReadonlySet<string>): DownloadRequest | null {
  const request: DownloadRequest = { source: model.source, ref: model.ref, revision: model.revision }
  const taken = model.files.filter(({ path }) => chosen.has(path))
  const left = model.files.filter(({ path }) => !chosen.has(path))
  if (left.length === 0) return request
  if (taken.length <= MOST_GLOBS) return { ...request, include: taken.map(({ path }) => literal(path)) }
  if (left.length <= MOST_GLOBS) return { ...request, exclude: left.map(({ path }) => literal(path)) }
  return null
}

export function sizeOf(model: RemoteModel, chosen: ReadonlySet<string>): number {
  return model.files.reduce((sum, { path, size }) => sum + (chosen.has(path) ? (size ?? 0) : 0), 0)
}
