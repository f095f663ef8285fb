import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { loadNative } from '../../src/broker/native/load.ts'
import { logDirectoryName } from '../../src/broker/log/log-id.ts'
import { defaultSettings } from '../../src/broker/config/settings.ts'
import { walkRecords } from '../../src/broker/log/batch/record-walk.ts'
import { LogDirectory } from '../../src/broker/log/directory/log-directory.ts'
import type { AppendResult, Log } from '../../src/broker/log/log.ts'
import type { Env } from '../../src/env/env.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeDisk } from '../../src/env/real/disk.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import { Prng } from '../../src/lib/prng.ts'
import { batchOf, logConfig, logId, readAll } from '../helpers/logs.ts'
import { LogHistory } from './log-history.ts'
import { problemsOf, producerProblems, scan } from './recovered-log.ts'

type Twin = Pick<Env, 'disk' | 'crc32c' | 'walkRecords'>

/** The same engine over the real twins of the disk: nothing of it may depend on the simulated one. */
const native = loadNative()
const disks: readonly (readonly [string, () => Twin])[] = [
  ['node:fs', () => ({ disk: new NodeDisk(), crc32c, walkRecords })],
  ...(native.ok ? [['the addon', () => native.native] as const] : []),
]

const made: string[] = []
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

function temporary(): string {
  made.push(mkdtempSync(join(tmpdir(), 'logcluster-log-')))
  return made.at(-1)!
}

function open(path: string, { disk, crc32c: sum, walkRecords: walk }: Twin, bootId = 'boot') {
  const env = {
    disk,
    crc32c: sum,
    walkRecords: walk,
    clock: realClock,
    random: realRandom,
    network: null as unknown as Env['network'],
  }
  return LogDirectory.open({
    path,
    env,
    settings: defaultSettings(),
    clusterId: 'c',
    brokerId: 1,
    bootId,
  })
}

const config = logConfig({
  segmentBytes: 20_000,
  indexIntervalBytes: 500,
  flushMs: 20,
  retentionMs: -1,
})

async function fill(log: Log, history: LogHistory, prng: Prng, rounds: number): Promise<void> {
  let sequence = Math.max(
    0,
    ...Array.from(log.producers.states(), ({ batches }) => {
      const last = batches.at(-1)!
      return last.firstSequence + last.lastOffsetDelta + 1
    }),
  )
  for (let round = 0; round < rounds; round++) {
    const turn = Array.from({ length: 1 + prng.below(5) }, () => {
      const count = 1 + prng.below(6)
      const valueBytes = 1 + prng.below(700)
      const batch = batchOf(count, {
        valueBytes,
        producerId: 3,
        producerEpoch: 0,
        baseSequence: sequence,
      })
      sequence += count
      const offered = history.offer(0)
      return new Promise<AppendResult>(resolve => {
        log.append(batch, { leaderEpoch: 1, origin: 'client' }, result => {
          history.answer(offered, batch, result.ok, 0)
          resolve(result)
        })
      })
    })
    for (const result of await Promise.all(turn)) expect(result.ok).toBe(true)
  }
}

test.each(disks)(
  'over %s: killed and stopped runs, one after the other, lose nothing',
  async (_name, twins) => {
    const prng = new Prng(5)
    const history = new LogHistory(logId(), config)
    const checked = async (log: Log, folder: string): Promise<void> => {
      const laid = scan(twins().disk, folder)
      expect(await problemsOf(log, laid, { history, prng, at: 0 })).toEqual([])
      expect(producerProblems(log, laid, history)).toEqual([])
      expect([log.offline, log.endOffset]).toEqual([null, history.answeredEnd])
    }
    let path = temporary()
    for (let run = 0; run < 6; run++) {
      const directory = await open(path, twins())
      expect(directory.startClass).toBe(run === 0 ? 'D' : run % 2 === 1 ? 'B' : 'A')
      const log = await directory.openLog(logId(), config)
      await checked(log, `${path}/${logDirectoryName(logId())}`)
      await fill(log, history, prng, 25)
      if (run === 3) await log.raiseStartOffset(Math.floor(log.endOffset / 2))
      if (run % 2 === 0) {
        // What the next run finds is what the page cache has now: the state in which a kill leaves it.
        const copy = temporary()
        cpSync(path, copy, { recursive: true })
        await directory.close()
        path = copy
      } else {
        await log.whenDurable(log.endOffset)
        await directory.close()
      }
    }
  },
)

test.each(disks)(
  'over %s: a closed directory can be opened again, a locked one cannot',
  async (_name, twins) => {
    const path = temporary()
    const first = await open(path, twins())
    await expect(open(path, twins())).rejects.toMatchObject({ reason: 'locked' })
    const log = await first.openLog(logId(), config)
    await new Promise<AppendResult>(resolve =>
      log.append(batchOf(3), { leaderEpoch: 0, origin: 'client' }, resolve),
    )
    const before = await readAll(log)
    await first.remove(logId(1))
    await first.close()
    const second = await open(path, twins())
    const again = await second.openLog(logId(), config)
    expect(await readAll(again)).toEqual(before)
    await second.remove(logId())
    expect(second.found()).toEqual([])
    await second.close()
  },
)
