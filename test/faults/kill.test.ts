import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cutLastBatches, repeatLastBatch, swapBatches } from './damage.ts'
import { offsetsTopicName, partitionOf } from '../../src/broker/coordinator/offsets-topic.ts'
import { runKillTest, type Killed } from './kill.ts'

const kills = 20
const seed = Number(process.env['LOGCLUSTER_TEST_SEED'] ?? 20_260_101)

describe('a broker that is killed under load', () => {
  test(`keeps its word over ${kills} kills`, { timeout: 300_000 }, async () => {
    const result = await runKillTest({ kills, seed })
    console.log(`Kill test: ${JSON.stringify(result)}`)
    expect(result.violations).toEqual([])
    expect(result.kills).toBe(kills)
    expect(result.ackedRecordsMinBeforeKill).toBeGreaterThanOrEqual(200)
    expect(result.seenRecords).toBeGreaterThan(result.ackedRecords / 4)
    expect(result.topicsDeleted).toBeGreaterThan(0)
    expect(result.acknowledgedCommits).toBeGreaterThan(kills)
  })
})

/** Where one of the committer's groups is kept. */
const offsetsPartition = `${offsetsTopicName}-${partitionOf('billing', 50)}`

/** The checker has to fail where a broker did; each of these is done to the disk after the first kill. */
describe('the kill test notices', { timeout: 120_000 }, () => {
  const damages: [string, string, (dataDir: string) => void][] = [
    ['acknowledged batches that are gone', 'lost|moved', dir => cutLastBatches(dir, 'plain-0')],
    ['a batch that is there twice', 'duplicate|moved|order', dir => repeatLastBatch(dir, 'gzip-0')],
    ['commits that are gone', 'offset', dir => cutLastBatches(dir, offsetsPartition)],
    ['batches that changed places', 'moved|order', dir => swapBatches(dir, 'zstd-1')],
  ]

  test.each(damages)('%s', async (_, kinds, damage) => {
    const { violations } = await runKillTest({
      kills: 1,
      seed,
      damage: ({ dataDir }) => damage(dataDir),
    })
    expect(violations.map(({ kind }) => kind).join(' ')).toMatch(new RegExp(kinds))
  })

  test('metadata that went back in time', async () => {
    const { violations } = await runKillTest({ kills: 2, seed, damage: goBack })
    expect(violations.map(({ kind }) => kind)).toContain('topic')
  })
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
