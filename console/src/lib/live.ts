import { ask, follow, type HubEvent, isGone, type Namespace } from '@/lib/socket'
import type { Page } from '@/types'

export interface Versioned {
  id: string
  version: number
}

interface Pages<T> {
  pages: Page<T>[]
}

/** What a namespace has told of its objects: the newest version of each, and which are gone.
 *  Answers of REST may be older than an event that overtook them, so they pass through `freshen`. */
export class Ledger<T extends Versioned> {
  private readonly newest = new Map<string, T>()
  private readonly gone = new Set<string>()

  /** Take one event in; false when it says nothing new (an older or the same version, or an object that is gone). */
  accept(event: HubEvent<T>): boolean {
    if (event.type === 'deleted') {
      const news = !this.gone.has(event.id)
      this.gone.add(event.id)
      this.newest.delete(event.id)
      return news
    }
    if (this.gone.has(event.id)) return false
    const known = this.newest.get(event.id)
    if (known && known.version >= event.data.version) return false
    this.newest.set(event.id, event.data)
    return true
  }

  freshenOne(item: T): T {
    const known = this.newest.get(item.id)
    return known && known.version > item.version ? known : item
  }

  freshen(page: Page<T>): Page<T> {
    return { ...page, items: page.items.filter(({ id }) => !this.gone.has(id)).map((item) => this.freshenOne(item)) }
  }

  /** It is no longer shown to us; should it be shared again, it comes back. */
  drop(id: string): void {
    this.newest.delete(id)
  }

  forget(): void {
    this.newest.clear()
    this.gone.clear()
  }
}

/** Patch a cached list: replace a known object by a newer version, put a new one first, drop a deleted one. */
export function patchPages<T extends Versioned>(draft: Pages<T>, event: HubEvent<T>): void {
  for (const page of draft.pages) {
    const at = page.items.findIndex(({ id }) => id === event.id)
    const known = page.items[at]
    if (!known) continue
    if (event.type === 'deleted') page.items.splice(at, 1)
    else if (event.data.version > known.version) page.items[at] = event.data
    return
  }
  if (event.type !== 'deleted') draft.pages[0]?.items.unshift(event.data)
}

interface Snapshot<T> {
  snapshot: T[] | Page<T> | null
  seq: number
}

export interface LiveOptions<T extends Versioned> {
  namespace: Namespace
  ledger: Ledger<T>
  /** Called for each change that is news. */
  onChange: (event: HubEvent<T>) => void
  /** After a reconnection: something may have been deleted unheard, so the list is asked for again. */
  onReturn: () => void
}

/** Keep a list alive: subscribe to everything, take the snapshot, then the changes; again after each reconnection. */
export function followAll<T extends Versioned>({ namespace, ledger, onChange, onReturn }: LiveOptions<T>): () => void {
  const take = (event: HubEvent<T>) => {
    if (ledger.accept(event)) onChange(event)
  }
  return follow<T>(
    namespace,
    (again) => {
      ask<Snapshot<T>>(namespace, 'subscribe', { id: '*' }).then(({ snapshot }) => {
        const items = Array.isArray(snapshot) ? snapshot : (snapshot?.items ?? [])
        for (const data of [...items].reverse()) take({ id: data.id, seq: data.version, type: 'updated', data })
        if (again) onReturn()
      }, onReturn)
    },
    (event) => {
      if (event.type === 'created' || event.type === 'updated' || event.type === 'deleted') take(event)
    },
    // It may still be ours to see by another way: asking is the only way to know.
    (id) => {
      ask<{ snapshot: T | null }>(namespace, 'subscribe', { id }).then(
        ({ snapshot: data }) => data && take({ id, seq: data.version, type: 'updated', data }),
        (reason: unknown) => {
          if (!isGone(reason)) return onReturn()
          ledger.drop(id)
          onChange({ id, seq: 0, type: 'deleted', data: { id, version: 0 } as T })
        },
      )
    },
  )
}
