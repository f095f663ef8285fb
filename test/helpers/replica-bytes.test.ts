import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { segmentPath } from '../../src/broker/log/segment/segment.ts'
import { logBytes } from './replica-bytes.ts'

const batch = (baseOffset: number, leaderEpoch: number): Uint8Array =>
  encodeBatch({ records: [{ value: new Uint8Array(3) }], baseOffset, leaderEpoch })

/** A partition's folder with these segments. */
function folderOf(segments: Readonly<Record<number, readonly Uint8Array[]>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-replica-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [base, batches] of Object.entries(segments)) {
    writeFileSync(segmentPath(folder, Number(base), 'log'), Buffer.concat(batches))
  }
  return folder
}

// Seed 60 of chaos: a follower that had kept more than 4 MiB of the segment that was cut was said to differ from its leader.
test('the dead end of a segment is not of the log', () => {
  const log = [batch(0, 4), batch(1, 4), batch(2, 5), batch(3, 5)]
  const whole = folderOf({ 0: log })
  const cut = folderOf({ 0: [log[0]!, log[1]!, batch(2, 4), batch(3, 4)], 2: log.slice(2) })
  expect(logBytes(cut).equals(logBytes(whole))).toBe(true)
  expect(logBytes(whole).equals(Buffer.concat(log))).toBe(true)
})

test('what is no batch is told as it lies there', () => {
  const zeros = folderOf({ 0: [batch(0, 4), new Uint8Array(100)], 2: [batch(2, 4)] })
  expect(logBytes(zeros)).toHaveLength(2 * batch(0, 4).length + 100)
})
