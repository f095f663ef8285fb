/** Columns as kubectl prints them: three blanks between, headings in capitals, nothing behind the last one. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings.map(heading => heading.toUpperCase()), ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map(row => row[column]!.length)))
  return all
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** A span as kubectl tells ages: its two largest units, `3d2h`. */
export function spanText(ms: number): string {
  let seconds = Math.max(0, Math.floor(ms / 1000))
  const first = units.findIndex(([, size]) => seconds >= size)
  if (first < 0) return '0s'
  const parts = units.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(seconds / size)
    seconds -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.join('')
}
