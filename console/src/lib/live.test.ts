import { makeDownload } from '@/testing/data'
import type { Download, Page } from '@/types'

import { Ledger, patchPages } from './live'
import type { HubEvent } from './socket'

const event = (changes: Partial<Download>, type = 'updated'): HubEvent<Download> => {
  const data = makeDownload(changes)
  return { id: data.id, seq: data.version, type, data }
}
const pages = (...lists: Download[][]): { pages: Page<Download>[] } => ({ pages: lists.map((items) => ({ items, next: null })) })

test('only a newer version is news', () => {
  const ledger = new Ledger<Download>()
  expect(ledger.accept(event({ version: 3 }))).toBe(true)
  expect(ledger.accept(event({ version: 3 }))).toBe(false)
  expect(ledger.accept(event({ version: 2 }))).toBe(false)
  expect(ledger.accept(event({ version: 4 }))).toBe(true)
})

test('what is deleted does not come back by a late event', () => {
  const ledger = new Ledger<Download>()
  expect(ledger.accept(event({ version: 5 }, 'deleted'))).toBe(true)
  expect(ledger.accept(event({ version: 4 }))).toBe(false)
  expect(ledger.freshen({ items: [makeDownload({ version: 4 })], next: null }).items).toEqual([])
})

test('an answer that an event overtook is brought up to date', () => {
  const ledger = new Ledger<Download>()
  ledger.accept(event({ version: 7, bytes_done: 700 }))
  const { items } = ledger.freshen({ items: [makeDownload({ version: 6, bytes_done: 600 }), makeDownload({ id: 'd2' })], next: 'x' })
  expect(items.map(({ id, bytes_done }) => [id, bytes_done])).toEqual([['d1', 700], ['d2', 0]])
})

test('a change lands on the page where its object is', () => {
  const list = pages([makeDownload({ id: 'd3' })], [makeDownload({ version: 1 })])
  patchPages(list, event({ version: 2, bytes_done: 5 }))
  expect(list.pages[1]?.items[0]).toMatchObject({ version: 2, bytes_done: 5 })
  patchPages(list, event({ version: 1, bytes_done: 1 }))
  expect(list.pages[1]?.items[0]?.bytes_done).toBe(5)
})

test('a new object stands first, a deleted one is gone', () => {
  const list = pages([makeDownload()])
  patchPages(list, event({ id: 'd9' }, 'created'))
  expect(list.pages[0]?.items.map(({ id }) => id)).toEqual(['d9', 'd1'])
  patchPages(list, event({}, 'deleted'))
  expect(list.pages[0]?.items.map(({ id }) => id)).toEqual(['d9'])
})
