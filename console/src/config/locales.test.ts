import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import en from './locales/en.json'
import zh from './locales/zh.json'

const keysOf = (tree: object, before = ''): string[] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [before + key] : keysOf(value, `${before}${key}.`)))

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.includes('.test.'))
  .map((name) => readFileSync(join('src', name), 'utf8'))
  .join('\n')

test('both languages say the same things', () => {
  expect(keysOf(zh).sort()).toEqual(keysOf(en).sort())
})

test('both languages fill in the same words', () => {
  const holes = (tree: object) =>
    JSON.stringify(tree, (_key, value) => (typeof value === 'string' ? (value.match(/{{\w+}}/g) ?? []).sort().join() : value))
  expect(holes(zh)).toBe(holes(en))
})

test('every text that is asked for exists', () => {
  const known = new Set(keysOf(en).map((key) => key.replace(/_(one|other)$/, '')))
  const asked = [...sources.matchAll(/\bt\('([\w.]+)'/g)].map((match) => match[1] ?? '')
  expect(asked.length).toBeGreaterThan(100)
  expect(asked.filter((key) => !known.has(key))).toEqual([])
})
