import type { RecordCursor } from '../log/batch/records.ts'
import { readLatin1 } from '../wire/buffer-text.ts'

/** The last record of a key so far. */
export interface LatestRecord {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
  readonly offset: number
}

/** A value lies in the payload that it came with, until that is given back. */
interface Latest {
  readonly key: Uint8Array
  value: Uint8Array | null
  offset: number
  payload: Uint8Array | null
  valueAt: number
  valueBytes: number
}

/**
 * Of records in the order of a log, the last of each key. Nothing is decoded and hardly anything copied: of millions
 * of commits only the last of each partition is looked at, also where the log was not compacted yet.
 */
export class LatestRecords {
  readonly #byKey = new Map<string, Latest>()
  /** Whose values lie in payloads that are not ours. */
  #borrowed: Latest[] = []

  /** The record that `cursor` came to in `payload`, which stays as it is until `keep`. The record has a key. */
  note(
    payload: Uint8Array,
    { keyAt, keyBytes, valueAt, valueBytes }: RecordCursor,
    offset: number,
  ): void {
    const name = readLatin1(payload, keyAt, keyAt + keyBytes)
    let latest = this.#byKey.get(name)
    if (latest === undefined) {
      const key = payload.slice(keyAt, keyAt + keyBytes)
      latest = { key, value: null, offset, payload: null, valueAt, valueBytes }
      this.#byKey.set(name, latest)
    }
    if (latest.payload === null) this.#borrowed.push(latest)
    latest.payload = payload
    latest.valueAt = valueAt
    latest.valueBytes = valueBytes
    latest.offset = offset
  }

  /** Copies what is still wanted of the payloads that came since the last time. */
  keep(): void {
    for (const latest of this.#borrowed) {
      const { payload, valueAt, valueBytes } = latest
      latest.value = valueBytes < 0 ? null : payload!.slice(valueAt, valueAt + valueBytes)
      latest.payload = null
    }
    this.#borrowed = []
  }

  /** In the order in which their keys came first. After `keep`. */
  all(): Iterable<LatestRecord> {
    return this.#byKey.values()
  }
}
