export type Strength = 'short' | 'weak' | 'fair' | 'good' | 'strong'

export const STRENGTHS: Strength[] = ['short', 'weak', 'fair', 'good', 'strong']

export const SHORTEST = 8

const SETS: [RegExp, number][] = [[/[a-z]/, 26], [/[A-Z]/, 26], [/\d/, 10], [/[ -/:-@[-`{-~]/, 33], [/[^ -~]/, 100]]
const ROWS = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm']
const COMMON = /password|passwort|modelhub|welcome|letmein|admin|secret|changeme/gi

/** Characters that a guesser would not get for free: repeats, runs on the keyboard, common words and one's own name count once. */
function surprising(password: string, own: string[]): string {
  let rest = password.replace(COMMON, '*')
  for (const word of own) {
    if (word.length >= 3) rest = rest.replaceAll(new RegExp(word.replace(/[^\w]/g, '\\$&'), 'gi'), '*')
  }
  let kept = ''
  for (const character of rest) {
    const pair = (kept.at(-1) ?? '').toLowerCase() + character.toLowerCase()
    const run = pair.length === 2 && (pair[0] === pair[1] || ROWS.some((row) => row.includes(pair) || row.includes(pair[1] + (pair[0] ?? ''))))
    if (!run || kept.length % 3 === 0) kept += character
  }
  return kept
}

/** A hint while typing, by the room a guesser has to search; the hub decides, and refuses what is common. `own`: one's name
 *  and address. */
export function strengthOf(password: string, own: string[] = []): Strength {
  if (password.length < SHORTEST) return 'short'
  const kept = surprising(password, own.flatMap((word) => word.split(/[@.\s]+/)))
  const alphabet = SETS.reduce((sum, [set, size]) => sum + (set.test(password) ? size : 0), 0)
  const bits = new Set(kept).size < 4 ? 0 : kept.length * Math.log2(alphabet)
  if (bits < 40) return 'weak'
  if (bits < 60) return 'fair'
  return bits < 80 ? 'good' : 'strong'
}
