import type { Prng } from '../src/lib/prng.ts'

export const pageBytes = 4096

/** `pageBytes` that are never modified once stored; null is a hole, which reads as zeros. */
export type Page = Uint8Array | null

/** A state of one page since the last sync. `isCut`: a truncation made it, which is metadata and not data. */
export interface PageVersion {
  readonly sequence: number
  readonly content: Page
  readonly isCut: boolean
}

export interface CrashInput {
  readonly durable: readonly Page[]
  readonly durableSize: number
  readonly unsynced: ReadonlyMap<number, readonly PageVersion[]>
  readonly sizes: readonly {
    readonly sequence: number
    readonly size: number
    readonly isCut: boolean
  }[]
}

const sectorBytes = 512

/**
 * The pages and the size that a machine crash leaves: what was synced, and of the rest any legal choice.
 * Legal is what was seen on ext4 and xfs (durability.md 3.3): later pages without earlier ones, a size that
 * covers holes, a last page torn at a sector. Cuts are journaled: those that happened are the first ones, and
 * nothing written after one that did not happen is there.
 */
export function crashedPages(input: CrashInput, prng: Prng): { pages: Page[]; size: number } {
  const cuts = input.sizes.filter(({ isCut }) => isCut)
  const cutCount = prng.below(cuts.length + 1)
  const after = cuts[cutCount - 1]?.sequence ?? 0
  const before = cuts[cutCount]?.sequence ?? Infinity
  const size = crashedSize(input, { after, before, baseSize: cuts[cutCount - 1]?.size }, prng)
  const keptOfFour = prng.below(5)
  const pageCount = Math.ceil(size / pageBytes)
  const pages: Page[] = []
  for (let page = 0; page < pageCount; page++) {
    const versions = (input.unsynced.get(page) ?? []).filter(({ sequence }) => sequence < before)
    const floor = versions.findLastIndex(({ isCut, sequence }) => isCut && sequence <= after)
    const base = floor === -1 ? (input.durable[page] ?? null) : versions[floor]!.content
    const choices = versions.slice(floor + 1)
    if (choices.length === 0 || !prng.chance(keptOfFour, 4)) {
      pages.push(base)
      continue
    }
    const chosen = prng.chance(3, 4) ? choices.at(-1)! : prng.pick(choices)
    const isTorn = page === pageCount - 1 && prng.chance(1, 4)
    pages.push(isTorn ? tornPage(base, chosen.content, prng) : chosen.content)
  }
  return { pages: withZeroTail(pages, size), size }
}

interface SizeSpan {
  readonly after: number
  readonly before: number
  readonly baseSize: number | undefined
}

function crashedSize(input: CrashInput, span: SizeSpan, prng: Prng): number {
  const base = span.baseSize ?? input.durableSize
  const since = input.sizes.filter(
    ({ sequence }) => sequence > span.after && sequence < span.before,
  )
  const last = since.at(-1)?.size
  if (last === undefined) return base
  switch (prng.below(5)) {
    case 0:
      return base
    case 1:
      return prng.pick(since).size
    case 2: {
      const firstBoundary = Math.ceil(base / pageBytes)
      const boundaries = Math.floor(last / pageBytes) - firstBoundary
      return boundaries < 0 ? last : (firstBoundary + prng.below(boundaries + 1)) * pageBytes
    }
    default:
      return last
  }
}

/** The first sectors as they were last, the others as they were before. */
function tornPage(base: Page, chosen: Page, prng: Prng): Page {
  const torn = base === null ? new Uint8Array(pageBytes) : base.slice()
  const until = prng.below(pageBytes / sectorBytes + 1) * sectorBytes
  if (chosen !== null) torn.set(chosen.subarray(0, until))
  return torn
}

function withZeroTail(pages: Page[], size: number): Page[] {
  const last = pages.at(-1)
  if (last !== undefined && last !== null && size % pageBytes !== 0) {
    pages[pages.length - 1] = last.slice().fill(0, size % pageBytes)
  }
  return pages
}
