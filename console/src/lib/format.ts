const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** 1536 -> "1.5 KiB". Powers of 1024, three significant figures. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  let unit = 0
  let rest = value
  while (rest >= 1024 && unit < BYTE_UNITS.length - 1) {
    rest /= 1024
    unit += 1
  }
  const digits = unit === 0 || rest >= 100 ? 0 : rest >= 10 ? 1 : 2
  return `${Number(rest.toFixed(digits))} ${BYTE_UNITS[unit]}`
}

const MIB = 1024 * 1024

/** Bytes per second as the number people type, in MiB/s, and back; null is no limit. */
export const toMiB = (value: number | null | undefined): number | null => (value ? Number((value / MIB).toFixed(3)) : null)
export const fromMiB = (value: number | null | undefined): number | null => (value ? Math.round(value * MIB) : null)

/** 1_234_567 -> "1.23M": downloads, likes, parameters. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  return new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(value)
}

/** Seconds -> "42 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–'
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** Done of total in whole percent; 0 while the total is unknown, 100 only when it is all there. */
export function percent(done: number, total: number | null | undefined): number {
  if (!total) return 0
  return Math.min(100, Math.floor((done / total) * 100))
}

/** A timestamp of the API in the reader's language and zone. */
export function moment(iso: string | null | undefined, language: string): string {
  if (!iso) return '–'
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso))
}

/** "3 hours ago" in the reader's language. */
export function ago(iso: string | null | undefined, language: string, now = Date.now()): string {
  if (!iso) return '–'
  const seconds = (new Date(iso).getTime() - now) / 1000
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3600], ['minute', 60],
  ]
  const formatter = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return formatter.format(Math.round(seconds / length), unit)
  }
  return formatter.format(0, 'second')
}

/** Where something came from; a name that is the reference itself is not said twice. */
export function originOf(thing: { source: string; ref: string; name: string; revision: string }): string {
  return [thing.source, thing.ref === thing.name ? '' : thing.ref, thing.revision].filter(Boolean).join(' · ')
}
