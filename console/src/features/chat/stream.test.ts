import { answerOf, codePoints, join, tokensPerSecond } from './stream'

test('length is counted as the hub counts it', () => {
  expect(codePoints('añ你')).toBe(3)
  expect(codePoints('👋🏽!')).toBe(3)
})

test('pieces join in order', () => {
  let answer = answerOf('')
  for (const [piece, seq] of [['Hel', 3], ['lo ', 6], ['👋', 7]] as const) answer = join(answer, piece, seq) ?? answer
  expect(answer).toEqual({ text: 'Hello 👋', offset: 7 })
})

test('a repetition changes nothing, an overlap adds only what is new', () => {
  const answer = answerOf('Hi 👋')
  expect(join(answer, '👋', 4)).toBe(answer)
  expect(join(answer, '👋 you', 8)).toEqual({ text: 'Hi 👋 you', offset: 8 })
})

test('a gap is not papered over', () => {
  expect(join(answerOf('abc'), 'z', 9)).toBeNull()
})

test('replaying everything gives the same text', () => {
  const whole = 'one 🎈 two'
  expect(join(answerOf('one 🎈'), whole, codePoints(whole))?.text).toBe(whole)
})

test('speed counts from the first token', () => {
  expect(tokensPerSecond({ completion_tokens: 50, duration_ms: 6000, ttft_ms: 1000 })).toBe(10)
  expect(tokensPerSecond({ completion_tokens: null, duration_ms: 6000 })).toBeNull()
})
