/** The hub counts characters as Unicode code points; JavaScript's `length` counts an emoji twice. */
export function codePoints(text: string): number {
  let count = 0
  for (const _character of text) count += 1
  return count
}

/** An answer so far. `offset` is its length in code points. */
export interface Answer {
  text: string
  offset: number
}

export const answerOf = (text: string): Answer => ({ text, offset: codePoints(text) })

/** Join a piece that ends at `seq`. Repetitions and overlaps change nothing twice; null means a piece is missing
 *  in between, and the caller asks again from `answer.offset`. */
export function join(answer: Answer, piece: string, seq: number): Answer | null {
  if (seq <= answer.offset) return answer
  const start = seq - codePoints(piece)
  if (start > answer.offset) return null
  const fresh = start === answer.offset ? piece : [...piece].slice(answer.offset - start).join('')
  return { text: answer.text + fresh, offset: seq }
}

/** Tokens per second after the first token; null where the hub gave no figures. */
export function tokensPerSecond(message: {
  completion_tokens?: number | null
  duration_ms?: number | null
  ttft_ms?: number | null
}): number | null {
  const { completion_tokens: tokens, duration_ms: whole, ttft_ms: first } = message
  if (!tokens || !whole) return null
  const writing = whole - (first ?? 0)
  return writing > 0 ? tokens / (writing / 1000) : null
}
