/** No setting's name is nearly as long. The work grows with the product of two lengths, and clients may send 32 KiB. */
const givenLengthMax = 100

/** The name most like `given`, or null where none is close enough to be meant. */
export function nearest(given: string, names: Iterable<string>): string | null {
  if (given.length > givenLengthMax) return null
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(given.length / 3)) + 1
  for (const name of names) {
    // So many letters more or fewer are as many insertions or deletions at least.
    if (Math.abs(name.length - given.length) >= bestDistance) continue
    const distance = editDistance(given, name, bestDistance)
    if (distance < bestDistance) {
      best = name
      bestDistance = distance
    }
  }
  return best
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`; something not below `enough`
 * where it is not below it.
 *
 * @internal
 */
export function editDistance(a: string, b: string, enough = Infinity): number {
  // Of three rows each is the next one's: a client may ask for hints by the thousand, and garbage is most of the cost.
  let [before, above, current] = [0, 1, 2].map(() => new Uint16Array(b.length + 1)) as Rows
  for (let column = 0; column <= b.length; column++) above[column] = column
  for (let row = 1; row <= a.length; row++) {
    current[0] = row
    let least = row
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      let distance = Math.min(replaced, above[column]! + 1, current[column - 1]! + 1)
      const isSwap =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (isSwap) distance = Math.min(distance, before[column - 2]! + 1)
      current[column] = distance
      least = Math.min(least, distance)
    }
    // A swap reaches over one row, and adds one.
    if (least > enough) return least
    ;[before, above, current] = [above, current, before]
  }
  return above[b.length]!
}

type Rows = [Uint16Array, Uint16Array, Uint16Array]
