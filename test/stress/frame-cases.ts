import type { Prng } from '../../src/lib/prng.ts'
import type { Api } from '../../src/broker/wire/field.ts'
import { damaged } from './frame-damage.ts'
import { cutTo, mapFrame, numberBytes, withSpan, type MappedFrame, type Span } from './frame-map.ts'
import type { RequestMaker } from './request-maker.ts'

/** What was done to a frame. */
export type FrameKind = 'cut' | 'edge' | 'damaged' | 'whole'

export interface FrameCase {
  readonly kind: FrameKind
  readonly api: Api
  readonly version: number
  readonly bytes: Uint8Array
}

export interface Served {
  readonly api: Api
  readonly version: number
}

/**
 * The frames of one campaign. First, for each API and version, one request in all the ways that can be listed: cut
 * at every byte, every length, count and 64-bit number at its edges. Then requests made anew, damaged at random
 * or left whole. Where `count` is below twice the list, a random half of the frames is from the list.
 */
export class FrameCases {
  readonly #random: Prng
  readonly #maker: RequestMaker
  readonly #served: readonly Served[]
  /** How many frames there are. */
  readonly count: number
  readonly #listed: (() => FrameCase)[] = []
  #given = 0

  constructor(
    parts: { readonly random: Prng; readonly maker: RequestMaker },
    served: readonly Served[],
    count: number,
  ) {
    this.#random = parts.random
    this.#maker = parts.maker
    this.#served = served
    this.count = count
    const all = served.flatMap(one => this.#listOf(one))
    for (let left = all.length; left > 1; left--) {
      const other = this.#random.below(left)
      ;[all[left - 1], all[other]] = [all[other]!, all[left - 1]!]
    }
    this.#listed = all.slice(0, Math.ceil(count / 2))
    this.listedOf = all.length
  }

  /** How many frames the whole list has, and how many of them this campaign sends. */
  readonly listedOf: number

  get listedCount(): number {
    return this.#listed.length
  }

  /** The next frame; null after the last. */
  next(): FrameCase | null {
    if (this.#given >= this.count) return null
    const at = this.#given++
    // Listed and random ones take turns, so that each meets what the others left behind.
    const listed = at % 2 === 0 ? this.#listed[at >> 1] : undefined
    return listed === undefined ? this.#fresh(at) : listed()
  }

  #fresh(at: number): FrameCase {
    const { api, version } = this.#served[at % this.#served.length]!
    const frame = this.#map(api, version, null)
    if (this.#random.chance(1, 4)) return { kind: 'whole', api, version, bytes: frame.bytes }
    return { kind: 'damaged', api, version, bytes: damaged(frame.bytes, this.#random) }
  }

  #listOf({ api, version }: Served): (() => FrameCase)[] {
    const frame = this.#map(api, version, 1)
    const cuts = Array.from({ length: frame.bytes.length - 4 }, (_, at) => (): FrameCase => {
      return { kind: 'cut', api, version, bytes: cutTo(frame, at + 4) }
    })
    const edges = frame.spans.flatMap(span =>
      edgesOf(frame, span).map(by => (): FrameCase => {
        return { kind: 'edge', api, version, bytes: withSpan(frame, span, by) }
      }),
    )
    return [...cuts, ...edges]
  }

  #map(api: Api, version: number, elements: number | null): MappedFrame {
    const header = { correlationId: this.#random.uint32() & 0xffff, clientId: 'fuzz' }
    const value = this.#maker.request(api, elements)
    return mapFrame(api, version, header, value)
  }
}

/** -1, 0, 1, the most that could be true, one above it, and the ends of the type. */
function edgesOf({ bytes }: MappedFrame, span: Span): Uint8Array[] {
  const { form, value } = span
  const rest = BigInt(bytes.length - span.at - span.size)
  const near = [-1n, 0n, 1n, BigInt(value) + 1n, rest, rest + 1n]
  switch (form) {
    case 'int16':
      return inForm(form, [...near, -2n, 0x7fffn, -0x8000n])
    case 'int32':
      return inForm(form, [...near, -2n, 0x7fffffffn, -0x80000000n, 0x10000n])
    case 'int64': {
      const most = (1n << 63n) - 1n
      return inForm(form, [-2n, -1n, 0n, 1n, most, -most - 1n, 1n << 53n, -(1n << 53n), 1n << 31n])
    }
    case 'uvarint':
      return [
        // One more than meant is sent: 0 is null, 1 is none.
        ...inForm(form, [0n, 1n, 2n, rest, rest + 1n, rest + 2n, 0x7fffffffn, 0xffffffffn]),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
        Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0),
      ]
  }
}

function inForm(form: Span['form'], values: readonly bigint[]): Uint8Array[] {
  return values.map(value => numberBytes(form, value))
}
