import { ago, bytes, count, duration, percent } from './format'

test.each([
  [null, '–'], [0, '0 B'], [1023, '1023 B'], [1024, '1 KiB'], [1536, '1.5 KiB'], [10_485_760, '10 MiB'], [1_288_490_189, '1.2 GiB'],
])('%s bytes are %s', (value, text) => expect(bytes(value)).toBe(text))

test.each([
  [null, '–'], [Infinity, '–'], [0.4, '0.4 s'], [42, '42 s'], [185, '3 min 5 s'], [7800, '2 h 10 min'],
])('%s seconds are %s', (value, text) => expect(duration(value)).toBe(text))

test('counts are compact', () => {
  expect(count(999)).toBe('999')
  expect(count(1_234_567)).toBe('1.23M')
})

test('a hundred percent means all of it', () => {
  expect(percent(999, 1000)).toBe(99)
  expect(percent(1000, 1000)).toBe(100)
  expect(percent(5, null)).toBe(0)
})

test('the past is told in the language of the reader', () => {
  const now = Date.parse('2025-01-02T05:04:05Z')
  expect(ago('2025-01-02T03:04:05Z', 'en', now)).toBe('2 hours ago')
  expect(ago('2025-01-02T03:04:05Z', 'zh', now)).toBe('2小时前')
})
