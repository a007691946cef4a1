import { makeRemote, makeRemoteFile } from '@/testing/data'

import { literal, requestFor, sizeOf } from './selection'

const many = (count: number) => makeRemote({ files: Array.from({ length: count }, (_file, n) => makeRemoteFile({ path: `f${n}`, size: 1 })) })
const first = (count: number) => new Set(Array.from({ length: count }, (_file, n) => `f${n}`))

test('everything is asked for without a list', () => {
  expect(requestFor(many(500), first(500))).toEqual({ source: 'huggingface', ref: 'org/tiny', revision: 'main' })
})

test('the list that fits is sent', () => {
  expect(requestFor(many(500), first(3))?.include).toEqual(['f0', 'f1', 'f2'])
  expect(requestFor(many(500), first(499))?.exclude).toEqual(['f499'])
  expect(requestFor(many(500), first(250))).toBeNull()
})

test('a path means only itself', () => {
  expect(literal('a[1]*?.bin')).toBe('a[[]1][*][?].bin')
})

test('the size is that of the chosen files', () => {
  expect(sizeOf(makeRemote(), new Set(['config.json']))).toBe(100)
})
