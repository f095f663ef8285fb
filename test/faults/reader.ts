import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { batchOverheadBytes, codecOf, readBatchHeader } from '../../src/broker/log/batch/batch.ts'
import { readRecords } from '../../src/broker/log/batch/records.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'
import type { Place, World } from './world.ts'

/** Follows all partitions, and goes back now and then; tells the ledger every value it sees. */
export class Consumer {
  readonly #world: World
  readonly #name: string
  readonly #places: readonly Place[]
  readonly #positions = new Map<Place, number>()

  constructor(world: World, name: string, places: readonly Place[]) {
    this.#world = world
    this.#name = name
    this.#places = places
  }

  run(): Promise<void> {
    const { ledger, random } = this.#world
    return this.#world.persist(this.#name, async client => {
      while (!this.#world.isDraining) {
        const place = random.pick(this.#places)
        const position = this.#positions.get(place) ?? 0
        const from = random.chance(1, 10) ? random.below(position + 1) : position
        const maxBytes = 1 << (8 + random.below(12))
        const { errorCode, records } = await client.fetch(place, from, { waitMs: 20, maxBytes })
        if (errorCode !== 0) {
          const where = `${place.topic}-${place.partition}@${from}`
          ledger.violation('answer', `${this.#name} of ${where}: error ${errorCode}`)
          await sleep(20)
          continue
        }
        const seen = recordsIn(records).filter(({ offset }) => offset >= from)
        for (const { offset, value } of seen) ledger.seen(place.key, offset, value)
        this.#positions.set(place, Math.max(position, (seen.at(-1)?.offset ?? -1) + 1))
      }
    })
  }
}

/** All values of a partition, from its first offset; every offset has one. Null where the broker says there is none. */
export async function readAll(client: BrokerClient, place: Place): Promise<Uint8Array[] | null> {
  const values: Uint8Array[] = []
  while (true) {
    const answer = await client.fetch(place, values.length, { maxBytes: 4 << 20 })
    if (answer.errorCode !== 0) return null
    const records = recordsIn(answer.records).filter(({ offset }) => offset >= values.length)
    for (const { offset, value } of records) {
      if (offset !== values.length) throw new Error(`${place.key}: no offset ${values.length}`)
      values.push(value)
    }
    if (records.length > 0) continue
    if (values.length === answer.highWatermark) return values
    throw new Error(`${place.key}: nothing at ${values.length} of ${answer.highWatermark}`)
  }
}

interface SeenRecord {
  readonly offset: number
  readonly value: Uint8Array
}

/** The records of whole batches; the rest, if a batch was cut off, is passed over. */
export function recordsIn(bytes: Uint8Array): SeenRecord[] {
  const seen: SeenRecord[] = []
  let at = 0
  while (at + batchOverheadBytes <= bytes.length) {
    const header = readBatchHeader(bytes, at)
    const end = at + header.sizeBytes
    if (header.sizeBytes < batchOverheadBytes) throw new Error('a batch without a length')
    if (end > bytes.length) break
    const payload = opened(codecOf(header), bytes.subarray(at + batchOverheadBytes, end))
    for (const { offsetDelta, value } of readRecords(payload, header)) {
      seen.push({ offset: header.baseOffset + offsetDelta, value: value ?? new Uint8Array(0) })
    }
    at = end
  }
  return seen
}

function opened(codec: number, bytes: Uint8Array): Uint8Array {
  if (codec === 0) return bytes
  return codec === 1 ? gunzipSync(bytes) : zstdDecompressSync(bytes)
}
