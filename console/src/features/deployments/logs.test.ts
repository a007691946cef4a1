import { appendLog, MOST_LINES } from './logs'
import { suggestedName } from './deploy-dialog'
import { snippets } from './snippets'

test('a replayed piece of log is not shown twice', () => {
  const log = appendLog({ lines: [], next: 0 }, { lines: ['a', 'b'], next: 4 })
  expect(appendLog(log, { lines: ['a', 'b'], next: 4 })).toBe(log)
  expect(appendLog(log, { lines: ['c'], next: 6 }).lines).toEqual(['a', 'b', 'c'])
})

test('the screen keeps the newest lines', () => {
  const lines = Array.from({ length: MOST_LINES + 10 }, (_line, n) => String(n))
  expect(appendLog({ lines: [], next: 0 }, { lines, next: 9 }).lines.at(0)).toBe('10')
})

test.each([
  ['Org/My Model', 'my-model'], ['Qwen2.5-0.5B', 'qwen2.5-0.5b'], ['__x', 'x'], ['模型', 'model'],
])('%s is suggested as %s', (model, name) => expect(suggestedName(model)).toBe(name))

test('programs to copy name the hub and the model, and hold no token', () => {
  for (const text of Object.values(snippets('http://hub:5000', 'tiny'))) {
    expect(text).toContain('http://hub:5000/v1')
    expect(text).toContain('tiny')
    expect(text).toContain('MODELHUB_TOKEN')
  }
})
