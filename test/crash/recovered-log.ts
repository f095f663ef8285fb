import { lastOffset, readBatchHeader, type BatchHeader } from '../../src/broker/log/batch/batch.ts'
import { ProducerStates } from '../../src/broker/log/producers/states.ts'
import { parseSegmentName } from '../../src/broker/log/segment/segment.ts'
import type { Log } from '../../src/broker/log/log.ts'
import { readWhole, type Disk } from '../../src/env/disk.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import { checkCrc } from '../../src/broker/log/batch/batch.ts'
import type { Prng } from '../../src/lib/prng.ts'
import type { LogHistory } from './log-history.ts'

/** A batch where it lies. */
export interface LaidBatch {
  readonly path: string
  readonly position: number
  readonly bytes: Uint8Array
  readonly header: BatchHeader
}

/** The batches of a log's directory, by reading every segment from end to end, independently of the engine. */
export function scan(disk: Disk, folder: string): LaidBatch[] {
  const found: LaidBatch[] = []
  for (const name of disk.list(folder)) {
    if (parseSegmentName(name, 'log') === null) continue
    const path = `${folder}/${name}`
    const bytes = readWhole(disk, path)!
    let position = 0
    while (position < bytes.length) {
      if (position + 61 > bytes.length)
        throw new Error(`${path} ends with ${bytes.length - position} bytes that are no batch`)
      const header = readBatchHeader(bytes, position)
      if (!checkCrc(bytes, position, header, crc32c))
        throw new Error(`${path} has no valid batch at ${position}`)
      const end = position + header.sizeBytes
      found.push({ path, position, header, bytes: bytes.subarray(position, end) })
      position = end
    }
  }
  return found
}

/** Compares what the log says with what lies there. Returns what does not agree. */
export async function problemsOf(
  log: Log,
  laid: readonly LaidBatch[],
  { history, prng, at }: { readonly history: LogHistory; readonly prng: Prng; readonly at: number },
): Promise<string[]> {
  const problems: string[] = []
  const visible = laid.filter(({ header }) => lastOffset(header) >= log.startOffset)
  let expected = laid[0]?.header.baseOffset ?? log.endOffset
  for (const { header, bytes, path } of laid) {
    const { baseOffset, leaderEpoch } = header
    if (baseOffset !== expected)
      problems.push(`${path}: offset ${baseOffset} where ${expected} goes on`)
    expected = lastOffset(header) + 1
    if (!history.explains(bytes, baseOffset, at))
      problems.push(`${path}: the batch at ${baseOffset} was never written`)
    if (baseOffset >= log.startOffset && log.epochAt(baseOffset) !== leaderEpoch) {
      problems.push(`epoch of ${baseOffset} is ${log.epochAt(baseOffset)}, not ${leaderEpoch}`)
    }
  }
  if (log.endOffset !== expected)
    problems.push(`ends at ${log.endOffset}, its batches at ${expected}`)
  for (const batch of visible) problems.push(...(await lookUp(log, batch, prng)))
  problems.push(...(await rangesOf(log, visible, prng)))
  problems.push(...(await timesOf(log, visible, prng)))
  return problems
}

/** The index must lead to the batch that a linear scan finds. */
async function lookUp(
  log: Log,
  { path, position, bytes, header }: LaidBatch,
  prng: Prng,
): Promise<string[]> {
  const from = Math.max(header.baseOffset, log.startOffset)
  const offset = from + prng.below(lastOffset(header) - from + 1)
  const maxBytes = prng.pick([1, bytes.length])
  const found = await log.read(offset, { maxBytes, upToOffset: log.endOffset, minOneBatch: true })
  const isIt =
    found.kind === 'range' &&
    found.file.path === path &&
    found.position === position &&
    found.length === bytes.length
  return isIt
    ? []
    : [`read of ${offset} gave ${describe(found)}, not ${path} ${position}+${bytes.length}`]
}

/** Ranges of random size are whole batches, as many as fit and as are visible. */
async function rangesOf(log: Log, visible: readonly LaidBatch[], prng: Prng): Promise<string[]> {
  if (visible.length === 0) return []
  const at = prng.below(visible.length)
  const first = visible[at]!
  const maxBytes = prng.below(6000)
  const upTo = prng.pick(visible.slice(at))
  const upToOffset = lastOffset(upTo.header) + 1
  const found = await log.read(Math.max(first.header.baseOffset, log.startOffset), {
    maxBytes,
    upToOffset,
    minOneBatch: true,
  })
  let length = first.bytes.length
  for (const next of visible.slice(at + 1)) {
    if (next.path !== first.path || length + next.bytes.length > maxBytes) break
    if (lastOffset(next.header) >= upToOffset) break
    length += next.bytes.length
  }
  const isIt =
    found.kind === 'range' && found.position === first.position && found.length === length
  return isIt
    ? []
    : [
        `read of ${first.header.baseOffset} up to ${upToOffset} in ${maxBytes} gave ${describe(found)}, not ${first.path} ${first.position}+${length}`,
      ]
}

/** The time index must lead to the batch that a linear scan finds. */
async function timesOf(log: Log, visible: readonly LaidBatch[], prng: Prng): Promise<string[]> {
  if (visible.length === 0) return []
  const timestampMs = prng.pick(visible).header.maxTimestamp
  const found = await log.findByTime(timestampMs, log.endOffset)
  const first = visible.find(({ header }) => header.maxTimestamp >= timestampMs)!
  if (found === null)
    return log.startOffset > first.header.baseOffset ? [] : [`no record of ${timestampMs}`]
  const isIt =
    found.offset >= first.header.baseOffset &&
    found.offset <= lastOffset(first.header) &&
    found.timestampMs >= timestampMs
  const isPartlyHidden = log.startOffset > first.header.baseOffset
  return isIt || isPartlyHidden
    ? []
    : [`time ${timestampMs} gave offset ${found.offset}, not ${first.header.baseOffset}`]
}

/**
 * Producer state must be what a replay of everything ever appended gives. Where a machine crash took all batches
 * up to a start offset that had been raised, nobody can say how many of them recovery still saw.
 */
export function producerProblems(
  log: Log,
  laid: readonly LaidBatch[],
  history: LogHistory,
): string[] {
  const states = new ProducerStates({ expirationMs: Number.MAX_SAFE_INTEGER, countMax: 100_000 })
  const first = laid[0]?.header.baseOffset ?? log.endOffset
  const replayed = [...history.keptBelow(first), ...laid.map(each => each.bytes)]
  const isUnknown = laid.length === 0
  for (const bytes of replayed) {
    if (isUnknown && states.equals(log.producers)) return []
    const header = readBatchHeader(bytes, 0)
    states.apply(header, header.baseOffset, 0)
  }
  if (states.equals(log.producers)) return []
  const [found, expected] = [log.producers, states].map(each =>
    JSON.stringify(
      Array.from(each.states(), ({ producerId, epoch, batches }) => [
        producerId,
        epoch,
        batches.map(batch => batch.baseOffset),
      ]),
    ),
  )
  return [
    `${log.name} [${log.startOffset}, ${log.endOffset}): producers are ${found}, a replay gives ${expected}`,
  ]
}

function describe(found: Awaited<ReturnType<Log['read']>>): string {
  return found.kind === 'range'
    ? `${found.file.path} ${found.position}+${found.length}`
    : JSON.stringify(found)
}
