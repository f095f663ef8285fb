import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  appendGroupRecord,
  cutLastBatches,
  lastGroupValue,
  offsetsPartitionOf,
  repeatLastBatch,
  swapBatches,
} from './damage.ts'
import { goneGroup, trimmedGroup } from './forgetter.ts'
import { onSlowDisk, runKillTest, type Killed } from './kill.ts'
import { zeroUuid } from '../../src/lib/uuid.ts'

const kills = 20
const slowKills = 6
const seed = Number(process.env['LOGCLUSTER_TEST_SEED'] ?? 20_260_101)

describe('a broker that is killed under load', () => {
  test(`keeps its word over ${kills} kills`, { timeout: 900_000 }, async () => {
    const result = await runKillTest({ kills, seed })
    console.log(`Kill test: ${JSON.stringify(result)}`)
    expect(result.violations).toEqual([])
    expect(result.kills).toBe(kills)
    expect(result.ackedRecordsMinBeforeKill).toBeGreaterThanOrEqual(200)
    expect(result.seenRecords).toBeGreaterThan(result.ackedRecords / 4)
    expect(result.topicsDeleted).toBeGreaterThan(0)
    expect(result.compactedRecords).toBeGreaterThan(50 * kills)
    expect(result.acknowledgedCommits).toBeGreaterThan(kills)
    expect(result.forgottenOffsets).toBeGreaterThan(kills)
    expect(result.forgottenGroups).toBeGreaterThan(kills)
    expect(result.heartbeats).toBeGreaterThan(5 * kills)
    expect(result.assignments).toBeGreaterThan(kills)
  })

  test(
    `keeps it on a disk that stalls, over ${slowKills} kills`,
    { timeout: 600_000 },
    async () => {
      const result = await runKillTest({ kills: slowKills, seed, broker: onSlowDisk })
      console.log(`Kill test on a slow disk: ${JSON.stringify(result)}`)
      expect(result.violations).toEqual([])
      // Most of what was acknowledged was written so: a write holds several batches.
      expect(result.threadWrites).toBeGreaterThan(50 * slowKills)
    },
  )
})

/**
 * The checker has to fail where a broker did. All of this is done to the disk after one kill; each damage concerns
 * another partition or group, and has to be noticed there.
 */
describe('the kill test notices', { timeout: 300_000 }, () => {
  const damages: [string, RegExp, (dataDir: string) => void][] = [
    [
      'acknowledged batches that are gone',
      /^(lost|moved): plain-0/,
      dir => cutLastBatches(dir, 'plain-0'),
    ],
    [
      'a batch that is there twice',
      /^(duplicate|moved|order): gzip-0/,
      dir => repeatLastBatch(dir, 'gzip-0'),
    ],
    ['batches that changed places', /^(moved|order): zstd-1/, dir => swapBatches(dir, 'zstd-1')],
    [
      'commits that are gone',
      /^offset: reports/,
      dir => cutLastBatches(dir, offsetsPartitionOf('reports')),
    ],
    ['an offset that was deleted', /^deleted: trimmed/, dir => comeBack(dir, trimmedGroup)],
    ['a group that was deleted', /^deleted: gone/, dir => comeBack(dir, goneGroup)],
    ["a deletion that took another group's offset", /^offset: billing on plain-0/, forget],
    ['a member that is forgotten', /^member: crew-0.* UNKNOWN_MEMBER_ID/, forgetCrew],
    ['an assignment that is another one', /^member: crew-1.* gets $/, reassign],
    ['a generation that is another one', /^member: crew-2.* ILLEGAL_GENERATION/, regenerate],
    ['a member that is left out', /^member: crew-3.* UNKNOWN_MEMBER_ID/, leaveOut],
  ]
  let found: readonly string[] = []

  beforeAll(async () => {
    const damage = ({ dataDir }: Killed): void => damages.forEach(([, , act]) => act(dataDir))
    // What is cut below the recovery point is seen by the broker itself, and puts the partition out of service.
    const broker = { settings: { 'log.flush.interval.ms': '3600000' } }
    const { violations } = await runKillTest({ kills: 1, seed, damage, broker })
    found = violations.map(({ kind, text }) => `${kind}: ${text}`)
  }, 300_000)

  test.each(damages)('%s', (_, pattern) => {
    expect(found).toContainEqual(expect.stringMatching(pattern))
  })

  test('metadata that went back in time', async () => {
    const { violations } = await runKillTest({ kills: 2, seed, damage: goBack })
    expect(violations.map(({ kind }) => kind)).toContain('topic')
  })

  function comeBack(dataDir: string, groupId: string): void {
    const value = {
      topicId: zeroUuid,
      offset: 1,
      leaderEpoch: -1,
      metadata: '',
      commitTimeMs: 1,
      expireTimeMs: -1,
    }
    appendGroupRecord(dataDir, { type: 'offset', groupId, topic: 'plain', partition: 1, value })
  }

  function forget(dataDir: string): void {
    const of = { groupId: 'billing', topic: 'plain', partition: 0 }
    appendGroupRecord(dataDir, { type: 'offset', ...of, value: null })
  }

  function forgetCrew(dataDir: string): void {
    appendGroupRecord(dataDir, { type: 'group', groupId: 'crew-0', value: null })
  }

  function reassign(dataDir: string): void {
    const value = lastGroupValue(dataDir, 'crew-1')
    const members = value.members.map(one => ({ ...one, assignment: new Uint8Array(0) }))
    const record = { groupId: 'crew-1', value: { ...value, members } }
    appendGroupRecord(dataDir, { type: 'group', ...record })
  }

  function regenerate(dataDir: string): void {
    const value = lastGroupValue(dataDir, 'crew-2')
    const record = { groupId: 'crew-2', value: { ...value, generation: value.generation + 1 } }
    appendGroupRecord(dataDir, { type: 'group', ...record })
  }

  function leaveOut(dataDir: string): void {
    const value = lastGroupValue(dataDir, 'crew-3')
    const members = value.members.slice(0, 1)
    appendGroupRecord(dataDir, { type: 'group', groupId: 'crew-3', value: { ...value, members } })
  }
})

/** Keeps the metadata after the first kill, and puts it back after the second. */
function goBack({ dataDir, kills: count }: Killed): void {
  const [now, kept] = [join(dataDir, 'metadata'), `${dataDir}.metadata`]
  if (count === 1) return cpSync(now, kept, { recursive: true })
  if (!existsSync(kept)) throw new Error('nothing was kept')
  rmSync(now, { recursive: true })
  cpSync(kept, now, { recursive: true })
  rmSync(kept, { recursive: true })
}
