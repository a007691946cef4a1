/** Patterns as the hub reads them (Python's fnmatch): `*` goes over folders, `/` at the end is everything below. */
export function matches(path: string, pattern: string): boolean {
  return regular(pattern.endsWith('/') ? `${pattern}*` : pattern).test(path)
}

function regular(glob: string): RegExp {
  let text = ''
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob[at] ?? ''
    const end = character === '[' ? glob.indexOf(']', at + (glob[at + 1] === '!' ? 3 : 2)) : -1
    if (character === '*') text += '.*'
    else if (character === '?') text += '.'
    else if (end > 0) {
      const inside = glob.slice(at + 1, end).replace(/[\\\]^[]/g, '\\$&')
      text += inside.startsWith('!') ? `[^${inside.slice(1)}]` : `[${inside}]`
      at = end
    } else text += character.replace(/[\\^$.|+(){}[\]]/g, '\\$&')
  }
  return new RegExp(`^${text}$`, 's')
}

/** The paths that `include` takes (all of them when it is empty) and `exclude` leaves. */
export function picked(paths: string[], include: string[], exclude: string[]): Set<string> {
  return new Set(
    paths.filter((path) =>
      (include.length === 0 || include.some((glob) => matches(path, glob))) && !exclude.some((glob) => matches(path, glob))),
  )
}
