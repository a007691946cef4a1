import type { DownloadRequest, RemoteModel } from '@/types'

/** The API takes at most this many globs a list. */
export const MOST_GLOBS = 200

/** A path as a glob that means only itself (fnmatch rules: a bracket holds one literal character). */
export const literal = (path: string) => path.replace(/[[*?]/g, (character) => `[${character}]`)

/** The request for some files of a model: a variant, everything, or the shorter of the two lists. Null: too scattered to say. */
export function requestFor(model: RemoteModel, chosen: ReadonlySet<string>): DownloadRequest | null {
  const request: DownloadRequest = { source: model.source, ref: model.ref, revision: model.revision }
  const taken = model.files.filter(({ path }) => chosen.has(path))
  const left = model.files.filter(({ path }) => !chosen.has(path))
  const variant = model.variants.find((each) => same(each.files, chosen))
  if (variant) return variant.recommended && left.length === 0 ? request : { ...request, options: { quant: variant.name } }
  if (left.length === 0) return model.variants.length ? { ...request, include: ['*'] } : request
  if (taken.length <= MOST_GLOBS) return { ...request, include: taken.map(({ path }) => literal(path)) }
  if (left.length <= MOST_GLOBS) return { ...request, exclude: left.map(({ path }) => literal(path)) }
  return null
}

const same = (paths: string[], chosen: ReadonlySet<string>) => paths.length === chosen.size && paths.every((path) => chosen.has(path))

/** What is chosen to begin with: the recommended variant, or all there is. */
export function firstChoice(model: RemoteModel): Set<string> {
  const best = model.variants.find(({ recommended }) => recommended)
  return new Set(best && best.kind !== 'other' ? best.files : model.files.map(({ path }) => path))
}

export function sizeOf(model: RemoteModel, chosen: ReadonlySet<string>): number {
  return model.files.reduce((sum, { path, size }) => sum + (chosen.has(path) ? (size ?? 0) : 0), 0)
}
