import { describe, expect, test } from 'vitest'
import { Prng } from '../../lib/prng.ts'
import { lagAfter, lagNow, readAheadBytesMax, type Lag } from './lagging.ts'

const mebibyte = 2 ** 20
/** What was appended by a mebibyte at a time is kept, and dropped, in folios of this size. */
const folioBytes = mebibyte / 2
const rangeBytes = mebibyte
const foliosPerRange = rangeBytes / folioBytes
const windowFolios = readAheadBytesMax / folioBytes
/** Of the device, and of a send from memory, in bytes a millisecond. */
const deviceSpeed = 100_000
const sendSpeed = 3_000_000

/** Which folios of a log are cached: `.` is, `-` is not. */
type Trace = string

/** What decides over one reader's lane. */
interface Rule {
  /** Before a range is looked for. */
  isLagging(stream: Counted): boolean
  found(stream: Counted, range: { readonly cold: boolean; readonly isCaughtUp: boolean }): void
}

interface Cost {
  hotBytes: number
  coldBytes: number
  /** Ranges that a thread was given. */
  handOffs: number
  /** How long the event loop stood still for the device. */
  blockedMs: number
}

/** A reader's counts as the addon keeps them: `count_in_stream` of queue.c. */
class Counted {
  #sent = 0
  #hit = 0
  #carry = 0
  /** Of ranges that a thread sent and the loop has not heard of. */
  readonly #unheard: [sent: number, delivered: number][] = []

  count(sent: number, delivered: number): void {
    const owed = delivered + this.#carry
    const missed = Math.min(owed, sent)
    this.#sent += sent
    this.#hit += sent - missed
    this.#carry = owed - missed
  }

  countLater(sent: number, delivered: number): void {
    this.#unheard.push([sent, delivered])
  }

  hear(): void {
    for (const [sent, delivered] of this.#unheard.splice(0)) this.count(sent, delivered)
  }

  sentBytes(): number {
    return this.#sent
  }

  hitBytes(): number {
    return this.#hit
  }

  isSettled(): boolean {
    return this.#unheard.length === 0
  }
}

/**
 * One reader's way through a trace, from its first range to its last. A folio that is missing makes the kernel ask for
 * all that are within its read-ahead; of these, the one in the middle bears the mark at which it asks for the next
 * window. The device delivers one after the other, and cachestat calls resident what was only asked for.
 */
class Way {
  readonly cost: Cost = { hotBytes: 0, coldBytes: 0, handOffs: 0, blockedMs: 0 }
  readonly #rule: Rule
  /** When each folio is there, in ms; Infinity where nobody asked for it. */
  readonly #thereAt: number[]
  readonly #stream = new Counted()
  /** Whether the loop hears of a cold range only when the next has been looked for. */
  readonly #isHeardLate: () => boolean
  #nowMs = 0
  #deviceFreeMs = 0
  #markAt = Infinity

  constructor(trace: Trace, rule: Rule, isHeardLate: () => boolean) {
    this.#thereAt = Array.from(trace, folio => (folio === '.' ? 0 : Infinity))
    this.#rule = rule
    this.#isHeardLate = isHeardLate
  }

  go(): Cost {
    for (let at = 0; at < this.#thereAt.length; at += foliosPerRange) this.#range(at)
    return this.cost
  }

  #range(first: number): void {
    if (!this.#isHeardLate()) this.#stream.hear()
    const end = first + foliosPerRange
    const isCached = this.#thereAt.slice(first, end).every(at => at < Infinity)
    const cold = this.#rule.isLagging(this.#stream) || !isCached
    this.#rule.found(this.#stream, { cold, isCaughtUp: end >= this.#thereAt.length })
    this.#stream.hear()
    const { deliveredBytes, waitedMs } = this.#send(first, end)
    if (cold) {
      this.cost.coldBytes += rangeBytes
      this.cost.handOffs++
      this.#stream.countLater(rangeBytes, deliveredBytes)
    } else {
      this.cost.hotBytes += rangeBytes
      this.cost.blockedMs += waitedMs
      this.#stream.count(rangeBytes, deliveredBytes)
    }
  }

  #send(first: number, end: number): { deliveredBytes: number; waitedMs: number } {
    let deliveredBytes = 0
    let waitedMs = 0
    for (let at = first; at < end; at++) {
      if (this.#thereAt[at] === Infinity) deliveredBytes += this.#ask(at)
      else if (at === this.#markAt) deliveredBytes += this.#ask(at + windowFolios / 2)
      const waitMs = Math.max(0, this.#thereAt[at]! - this.#nowMs)
      waitedMs += waitMs
      this.#nowMs += waitMs + folioBytes / sendSpeed
    }
    return { deliveredBytes, waitedMs }
  }

  /** Reads ahead from a folio on; the bytes that the device was asked for. */
  #ask(from: number): number {
    const mark = from + windowFolios / 2
    let bytes = 0
    this.#markAt = Infinity
    for (let at = from; at < Math.min(from + windowFolios, this.#thereAt.length); at++) {
      if (this.#thereAt[at] !== Infinity) continue
      this.#deviceFreeMs = Math.max(this.#deviceFreeMs, this.#nowMs) + folioBytes / deviceSpeed
      this.#thereAt[at] = this.#deviceFreeMs
      bytes += folioBytes
      if (at === mark) this.#markAt = mark
    }
    return bytes
  }
}

type Stream = Parameters<typeof lagNow>[1]

/** What stands in lagging.ts, with what `mislead` makes of the counts. */
function byEvidence(mislead: (stream: Counted) => Partial<Stream> = () => ({})): Rule {
  let lag: Lag | null = null
  const told = (stream: Counted): Stream => ({
    sentBytes: () => stream.sentBytes(),
    hitBytes: () => stream.hitBytes(),
    isSettled: () => stream.isSettled(),
    ...mislead(stream),
  })
  return {
    isLagging: stream => (lag = lagNow(lag, told(stream))) !== null,
    found: (stream, range) => void (lag = lagAfter(lag, told(stream), range)),
  }
}

/** A single short range goes by the cold lane alone, and only several in a row make a reader lag. */
function afterShortRanges(count: number): Rule {
  let lag: Lag | null = null
  let short = 0
  return {
    isLagging: stream => (lag = lagNow(lag, stream)) !== null,
    found(stream, range) {
      short = range.cold ? short + 1 : 0
      lag = short >= count ? lagAfter(lag, stream, range) : null
    },
  }
}

/** Each leaves out one thought. */
const wrongRules: Readonly<Record<string, () => Rule>> = {
  'cachestat alone is believed': () => afterShortRanges(Infinity),
  'the run is shorter than read-ahead reaches': () =>
    byEvidence(stream => ({
      sentBytes: () => 4 * stream.sentBytes(),
      hitBytes: () => 4 * stream.hitBytes(),
    })),
  'a delivery does not begin the run anew': () =>
    byEvidence(stream => ({ hitBytes: () => stream.sentBytes() })),
  'what is not counted is not waited for': () => byEvidence(() => ({ isSettled: () => true })),
  'one short range more is needed to lag': () => afterShortRanges(2),
}

const ranges = (count: number, folios: string): Trace => folios.repeat(count)

/** 2 % of the folios, some together, as physical memory has them. */
function holes(rangeCount: number, seed: number): Trace {
  const random = new Prng(seed)
  const folios = Array.from(ranges(rangeCount, '..'))
  for (let missing = 0; missing < folios.length / 50; missing += 4) {
    const at = random.below(folios.length - 8)
    for (let near = 0; near < 8; near += 2) folios[at + near] = '-'
  }
  return folios.join('')
}

const window = readAheadBytesMax / rangeBytes
const traces: Readonly<Record<string, Trace>> = {
  'all hot': ranges(512, '..'),
  '2 % holes': holes(512, 1),
  alternating: ranges(128, '..--'),
  'a cold scan that catches up': ranges(256, '--') + ranges(256, '..'),
  // Where the reader is believed again, and just before.
  'holes at the switch': ranges(16, `.-${'..'.repeat(window + 1)}`),
  'holes before the switch': ranges(16, `.-${'..'.repeat(window)}-.${'..'.repeat(6)}`),
}

/** How long the loop stood still over all traces, with results that are heard in time, and late by chance. */
function blockedMs(rule: () => Rule): number {
  const many = [...Object.values(traces), ...Array.from({ length: 20 }, (_, at) => holes(512, at))]
  let sum = 0
  for (const trace of many) {
    for (let seed = 0; seed < 10; seed++) {
      const random = new Prng(seed)
      const isHeardLate = () => seed > 0 && random.chance(1, 2)
      sum += new Way(trace, rule(), isHeardLate).go().blockedMs
    }
  }
  return sum
}

/** Mebibytes by lane, hot and cold, and how often a thread was given a range. */
function lanesOf(rule: () => Rule): Readonly<Record<string, readonly number[]>> {
  const lanes = (trace: Trace): readonly number[] => {
    const { hotBytes, coldBytes, handOffs } = new Way(trace, rule(), () => false).go()
    return [hotBytes / mebibyte, coldBytes / mebibyte, handOffs]
  }
  return Object.fromEntries(Object.entries(traces).map(([name, trace]) => [name, lanes(trace)]))
}

describe('lag', () => {
  test('ends behind holes, and not inside a scan', () => {
    expect(lanesOf(byEvidence)).toEqual({
      'all hot': [512, 0, 0],
      '2 % holes': [448, 64, 64],
      alternating: [1, 255, 255],
      'a cold scan that catches up': [247, 265, 265],
      'holes at the switch': [0, 160, 160],
      'holes before the switch': [90, 166, 166],
    })
  })

  test('lasts until the reader has caught up where hits cannot be measured', () => {
    const blind = () => byEvidence(() => ({ hitBytes: () => null }))
    expect(lanesOf(blind)).toEqual({
      'all hot': [512, 0, 0],
      '2 % holes': [239, 273, 273],
      alternating: [1, 255, 255],
      'a cold scan that catches up': [0, 512, 512],
      'holes at the switch': [0, 160, 160],
      'holes before the switch': [0, 256, 256],
    })
  })

  test('keeps the event loop from waiting for the device', () => {
    expect(blockedMs(byEvidence)).toBe(0)
  })

  test.each(Object.entries(wrongRules))('would not, if %s', (_, rule) => {
    expect(blockedMs(rule)).toBeGreaterThan(0)
  })
})
