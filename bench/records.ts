/**
 * Nanoseconds that the walk over the records of an uncompressed batch takes, by the addon and by the portable code,
 * beside the CRC-32C of the same bytes: `node bench/records.ts`. The three alternate; the best of many rounds counts,
 * as the machine is shared. Batches lie in a ring that is larger than the caches, and are taken in turn.
 */
import { loadNative } from '../src/broker/native/load.ts'
import { walkRecords } from '../src/broker/log/batch/record-walk.ts'
import { encodeRecords } from '../src/broker/log/batch/records.ts'
import { Prng } from '../src/lib/prng.ts'

const kibibyte = 1024
const mebibyte = 1024 * kibibyte
const roundCount = 41
const ringBytes = 64 * mebibyte
/** Each round passes once over this much of the ring. */
const roundBytes = 16 * mebibyte

const load = loadNative()
if (!load.ok) throw new Error(load.reason)
const { native } = load
/** Keeps results alive, so that nothing is optimised away. */
let sink = 0

for (const [name, batchBytes, valueBytes] of [
  ['1 MiB of 1 KiB records', mebibyte, kibibyte],
  ['16 KiB of 100-byte records', 16 * kibibyte, 100],
] as const) {
  for (const [where, bytes] of [
    ['in the caches', 2 * batchBytes],
    ['from memory', ringBytes],
  ] as const) {
    const batches = ringOf(bytes, batchBytes, valueBytes)
    const { count } = native.walkRecords(batches[0]!)
    const [walk, crc, portable] = compare(batches, [
      batch => native.walkRecords(batch).count,
      batch => native.crc32c(batch),
      batch => walkRecords(batch).count,
    ])
    console.log(
      `${name} (${count}), ${where}: walk ${walk} ns, CRC-32C ${crc} ns, ` +
        `walk/CRC ${(walk! / crc!).toFixed(2)}, portable walk ${portable} ns`,
    )
  }
}

/** Batches of records of about `valueBytes` with a short key, alike in shape and lying apart. */
function ringOf(bytes: number, batchBytes: number, valueBytes: number): Uint8Array[] {
  const prng = new Prng(1)
  const overheadBytes = 20
  const count = Math.floor(batchBytes / (valueBytes + overheadBytes))
  const first = encodeRecords(
    Array.from({ length: count }, (_, at) => ({
      timestampDelta: at,
      key: prng.bytes(8),
      value: prng.bytes(valueBytes),
    })),
  )
  const ring = new Uint8Array(Math.floor(bytes / first.length) * first.length)
  for (let at = 0; at < ring.length; at += first.length) ring.set(first, at)
  return Array.from({ length: ring.length / first.length }, (_, at) =>
    ring.subarray(at * first.length, (at + 1) * first.length),
  )
}

/** Nanoseconds a batch, the least of the rounds, of each of `ways`. */
function compare(
  batches: readonly Uint8Array[],
  ways: readonly ((batch: Uint8Array) => number)[],
): number[] {
  const least = ways.map(() => Infinity)
  const perRound = Math.ceil(roundBytes / batches[0]!.length)
  let next = 0
  for (let round = 0; round < roundCount; round++) {
    for (const [at, way] of ways.entries()) {
      const beganAt = process.hrtime.bigint()
      for (let left = perRound; left > 0; left--) sink += way(batches[next++ % batches.length]!)
      const passedNs = Number(process.hrtime.bigint() - beganAt)
      least[at] = Math.min(least[at]!, passedNs / perRound)
    }
  }
  return least.map(Math.round)
}
