import { makeRemote, makeRemoteFile, makeVariant } from '@/testing/data'

import { firstChoice, literal, requestFor, sizeOf } from './selection'

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

test('a variant is asked for by its name, and everything of many variants by a star', () => {
  const small = makeVariant({ name: 'Q4_0', files: ['config.json'] })
  const model = makeRemote({ variants: [small, makeVariant({ files: ['model.safetensors'], recommended: true })] })
  expect(requestFor(model, new Set(['config.json']))?.options).toEqual({ quant: 'Q4_0' })
  expect(requestFor(model, firstChoice(model))?.options).toEqual({ quant: 'Q4_K_M' })
  expect(requestFor(model, new Set(['config.json', 'model.safetensors']))?.include).toEqual(['*'])
  const only = makeRemote({ variants: [makeVariant({ files: ['config.json', 'model.safetensors'], recommended: true })] })
  expect(requestFor(only, firstChoice(only))).toEqual({ source: 'huggingface', ref: 'org/tiny', revision: 'main' })
})
