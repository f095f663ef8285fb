/**
 * How long a log of one large segment takes to open after kill -9, with its growth file and without:
 * `npm run bench -- restart [MiB, 1024] [bytes a batch, 16384]`. The segment stays in the page cache, as it does when
 * a process dies; a growth step larger than the segment is how every start was before there were growth files.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultSettings } from '../src/broker/config/settings.ts'
import { topicConfig } from '../src/broker/config/topic-config.ts'
import { encodeBatch } from '../src/broker/log/batch/batch.ts'
import { LogDirectory } from '../src/broker/log/directory/log-directory.ts'
import type { Log } from '../src/broker/log/log.ts'
import { loadNative } from '../src/broker/native/load.ts'
import type { Env } from '../src/env/env.ts'
import { realClock } from '../src/env/real/clock.ts'
import { realRandom } from '../src/env/real/random.ts'

const mebibyte = 2 ** 20
const defaults = topicConfig(defaultSettings(), new Map())
const config = { ...defaults, segmentBytes: 2 ** 31 - 1, retentionMs: -1 }
const id = { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', topic: 'restart', partition: 0 }

async function open(path: string, growthStepBytes?: number): Promise<{ log: Log; openMs: number }> {
  const load = loadNative()
  if (!load.ok) throw new Error(`this needs the addon: ${load.reason}`)
  const env: Env = {
    ...load.native,
    clock: realClock,
    random: realRandom,
    network: null as unknown as Env['network'],
  }
  const growth = growthStepBytes === undefined ? {} : { growthStepBytes }
  const settings = { ...defaultSettings(), ...growth }
  const options = { path, env, settings, clusterId: 'c', brokerId: 1, bootId: 'boot' }
  const directory = await LogDirectory.open(options)
  const began = performance.now()
  const log = await directory.openLog(id, config)
  return { log, openMs: performance.now() - began }
}

/** Fills the segment, waits for the checkpoint, adds a little, and dies. */
async function fillAndDie(path: string, sizeBytes: number, batchBytes: number): Promise<never> {
  const growthStepBytes = Number(process.env.GROWTH_STEP_BYTES)
  const { log } = await open(path, growthStepBytes)
  const value = new Uint8Array(batchBytes - 80).fill(120)
  const began = performance.now()
  const add = async (bytes: number) => {
    while (log.sizeBytes < bytes) {
      const turn = Array.from({ length: Math.ceil(mebibyte / batchBytes) }, () => {
        const record = { offsetDelta: 0, timestampDelta: 0, key: null, value, headers: [] }
        const batch = encodeBatch({ records: [record], baseTimestamp: Date.now() })
        return new Promise(resolve => {
          log.append(batch, { leaderEpoch: 0, origin: 'client' }, resolve)
        })
      })
      await Promise.all(turn)
    }
  }
  await add(sizeBytes)
  const seconds = (performance.now() - began) / 1000
  await log.whenDurable(log.endOffset)
  await new Promise(resolve => setTimeout(resolve, 1500))
  await add(sizeBytes + mebibyte)
  console.log(`appended ${Math.round(sizeBytes / mebibyte / seconds)} MiB/s`)
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => {})
}

async function measure(sizeMiB: number, batchBytes: number, growthStepBytes: number) {
  const path = mkdtempSync(join(tmpdir(), 'logcluster-restart-'))
  try {
    const again = (...args: string[]) =>
      spawnSync(process.execPath, [import.meta.filename, ...args], {
        env: { ...process.env, GROWTH_STEP_BYTES: String(growthStepBytes) },
        encoding: 'utf8',
      })
    const filled = again('fill', path, String(sizeMiB * mebibyte), String(batchBytes))
    if (filled.signal !== 'SIGKILL') throw new Error(filled.stderr)
    const opened = again('open', path)
    if (opened.status !== 0) throw new Error(opened.stderr)
    return `${filled.stdout.trim()}; ${opened.stdout.trim()}`
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

const [what = '1024', ...rest] = process.argv.slice(2)
if (what === 'fill') await fillAndDie(rest[0]!, Number(rest[1]), Number(rest[2]))
else if (what === 'open') {
  const { log, openMs } = await open(rest[0]!)
  console.log(`${log.endOffset} batches, opened in ${openMs.toFixed(1)} ms`)
  process.exit(0)
} else {
  const sizeMiB = Number(what)
  const batchBytes = Number(rest[0] ?? 16_384)
  console.log(`before: ${await measure(sizeMiB, batchBytes, 1e12)}`)
  console.log(`now:    ${await measure(sizeMiB, batchBytes, mebibyte)}`)
}
