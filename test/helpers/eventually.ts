import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

/** Less than a test has (vitest.config.ts), so that it ends with what was seen and not with a time-out. */
const patienceMs = 60_000

/**
 * For what another process, thread or the kernel brings about: a line of its log, a metric, a file. It is there a
 * little later than the answer that a test waited for, so it is looked at again until `isSo`, never once. Resolves to
 * what it saw; after `msMax` it rejects with what it saw last. What `look` throws ends it.
 */
export async function eventually<Seen>(
  what: string,
  look: () => Seen | Promise<Seen>,
  isSo: (seen: Seen) => boolean = Boolean,
  msMax = patienceMs,
): Promise<Seen> {
  const end = performance.now() + msMax
  for (;;) {
    // Asked before the look: the last look comes after the end, however long a loaded machine kept us waiting.
    const isLast = performance.now() > end
    const seen = await look()
    if (isSo(seen)) return seen
    if (isLast) throw new Error(`${what}: not within ${msMax} ms; last seen: ${told(seen)}`)
    await sleep(10)
  }
}

/**
 * For a figure that something else on the machine can spoil: memory, throughput, what the page cache holds. It is
 * measured again where it is out of bounds: what is wrong is so each time, noise is not. Resolves to the first that
 * `isFine`; rejects with all of them where none is.
 */
export async function measuredAgain<Figure>(
  what: string,
  measure: () => Figure | Promise<Figure>,
  isFine: (figure: Figure) => boolean,
  attemptsMax = 5,
): Promise<Figure> {
  const figures: Figure[] = []
  while (figures.length < attemptsMax) {
    const figure = await measure()
    figures.push(figure)
    if (!isFine(figure)) continue
    if (figures.length > 1) console.log(`${what}: ${figures.map(told).join(', then ')}`)
    return figure
  }
  throw new Error(`${what}: out of bounds each time: ${figures.map(told).join(', ')}`)
}

function told(seen: unknown): string {
  return typeof seen === 'string' ? seen.slice(-4000) : inspect(seen, { depth: 4 }).slice(0, 4000)
}
