import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { TestBroker, withBroker, type BrokerOptions } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { run } from '../helpers/run.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { Bystander } from './bystander.ts'
import { flipFirstBatch, misplaceFirstBatch, segments } from './damage.ts'
import { lineOf, logLines } from './log-lines.ts'

let dataDir: string

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'logcluster-start-'))
})

afterEach(() => {
  rmSync(dataDir, { recursive: true, force: true })
})

/** A start that must fail: the exit code, and everything that was said. */
async function refusal(options: BrokerOptions): Promise<{ code: number | null; said: string }> {
  const broker = new TestBroker({ dataDir, ...options })
  try {
    await broker.start()
    throw new Error('the broker started')
  } catch (error) {
    if (broker.isRunning) throw error
    const { code } = await broker.ended()
    return { code, said: broker.output }
  } finally {
    await broker[Symbol.asyncDispose]()
  }
}

/** The reason in the one line that says that it could not start; nothing looks like a crash. */
function reasonIn(said: string): string {
  const lines = logLines({ output: said }).filter(({ msg }) => msg === 'Could not start')
  expect(lines).toHaveLength(1)
  expect(said).not.toContain('    at ')
  return String(lines[0]!['reason'])
}

/** Leaves a data directory behind, after a graceful stop. */
async function makeData(): Promise<void> {
  await withBroker({ dataDir }, async broker => {
    const bystander = await Bystander.join(broker)
    await bystander.isServed()
    bystander.leave()
    await broker.stop()
  })
}

describe('an impossible setting', () => {
  const cases: [string, Record<string, string>, RegExp][] = [
    ['an unknown name', { 'log.segment.byte': '1' }, /log\.segment\.byte\b.*log\.segment\.bytes/],
    ['no number', { 'num.partitions': 'many' }, /num\.partitions.*many/],
    ['a number out of range', { 'num.partitions': '0' }, /num\.partitions.*0/],
    ['an unknown choice', { 'flush.policy': 'sometimes' }, /flush\.policy.*interval, ack, os/],
    ['a listener without a port', { listeners: 'PLAINTEXT://localhost' }, /listeners.*localhost/],
    ['a listener of another protocol', { listeners: 'SSL://localhost:9093' }, /listeners.*SSL/],
  ]

  test.each(cases)('%s is refused, and named', async (_, settings, text) => {
    const { code, said } = await refusal({ settings })
    expect(code).toBe(78)
    expect(said.replaceAll('\n', ' ')).toMatch(text)
    expect(said).not.toContain('    at ')
    expect(readdirSync(dataDir)).toEqual([])
  })

  test('all of them are told at once', async () => {
    const settings = { 'num.partitions': '0', 'node.idd': '1' }
    const { said } = await refusal({ settings })
    expect(said).toContain('num.partitions')
    expect(said).toContain('node.idd')
  })

  test('from the environment too', async () => {
    const { code, said } = await refusal({ env: { LOGCLUSTER_NUM_PARTITION: '3' } })
    expect(code).toBe(78)
    expect(said).toContain('LOGCLUSTER_NUM_PARTITION')
  })

  test('an address that is taken', async () => {
    await withBroker({}, async broker => {
      const listeners = `PLAINTEXT://${broker.address}`
      const { code, said } = await refusal({ settings: { listeners } })
      expect(code).toBe(1)
      expect(reasonIn(said)).toContain(String(broker.port))
      const bystander = await Bystander.join(broker)
      await bystander.isServed()
      bystander.leave()
    })
  })
})

describe('a data directory', () => {
  test('that another broker has open is refused, and that broker goes on', async () => {
    await withBroker({ dataDir }, async broker => {
      const bystander = await Bystander.join(broker)
      const { code, said } = await refusal({})
      expect(code).toBe(1)
      expect(reasonIn(said)).toMatch(/[Aa]nother process/)
      expect(reasonIn(said)).toContain(dataDir)
      await bystander.isServed()
      bystander.leave()
      await broker.stop()
    })
    await withBroker({ dataDir }, broker => broker.stop())
  })

  test('of another broker of the cluster is refused', async () => {
    await makeData()
    const { code, said } = await refusal({ settings: { 'node.id': '2' } })
    expect(code).toBe(1)
    expect(reasonIn(said)).toMatch(/broker 1\b.*broker 2\b|broker 2\b.*broker 1\b/s)
    // Nothing was written: the owner starts as before.
    await withBroker({ dataDir }, broker => broker.stop())
  })

  test('of another cluster is refused', async () => {
    await makeData()
    const other = mkdtempSync(join(tmpdir(), 'logcluster-start-'))
    try {
      await withBroker({ dataDir: other }, broker => broker.stop())
      cpSync(join(other, 'meta.properties'), join(dataDir, 'meta.properties'))
    } finally {
      rmSync(other, { recursive: true })
    }
    const { code, said } = await refusal({})
    expect(code).toBe(1)
    expect(reasonIn(said)).toContain('belongs to broker 1 of cluster')
  })

  test('whose meta.properties is damaged is refused', async () => {
    await makeData()
    writeFileSync(join(dataDir, 'meta.properties'), 'nonsense\n')
    const { code, said } = await refusal({})
    expect(code).toBe(1)
    expect(reasonIn(said)).toContain('meta.properties')
  })

  test('that is a file is refused', async () => {
    const path = join(dataDir, 'file')
    writeFileSync(path, '')
    const { code, said } = await refusal({ settings: { 'log.dirs': path } })
    expect(code).toBe(1)
    expect(reasonIn(said)).toContain(path)
  })

  test('that is read-only is refused, whole', async context => {
    await makeData()
    const before = readdirSync(dataDir)
    await using readOnly = await makeReadOnly(dataDir)
    if (readOnly.why !== null) return context.skip(readOnly.why)
    const { code, said } = await refusal({})
    expect(code).toBe(1)
    expect(reasonIn(said)).toContain(dataDir)
    expect(readdirSync(dataDir)).toEqual(before)
  })
})

describe('damage', () => {
  test('below the recovery point takes that partition out of service, and no other', async () => {
    await withBroker({ dataDir }, async broker => {
      await fill(broker)
      await isFlushed('hurt-0', 5)
      await broker.kill()
      flipFirstBatch(dataDir, 'hurt-0')
      await broker.start()
      await isOutOfService(broker)
      // It does not come back by another start, graceful or not.
      await broker.stop()
      await broker.start()
      await isOutOfService(broker)
    })
  })

  test.each([
    ['a header that lies', misplaceFirstBatch],
    ['a segment that is cut to nothing', emptyFirstSegment],
    ['a segment that is gone', removeFirstSegment],
    ['a directory that is gone', removeDirectory],
  ])(
    'after a graceful stop, %s takes that partition out of service, and no other',
    async (_, damage) => {
      await withBroker({ dataDir }, async broker => {
        await fill(broker)
        await broker.stop()
        damage(dataDir, 'hurt-0')
        await broker.start()
        await isOutOfService(broker)
      })
    },
  )

  test('of a killed broker, whose directory of a log is gone, is noticed too', async () => {
    await withBroker({ dataDir }, async broker => {
      await fill(broker)
      await broker.kill()
      removeDirectory(dataDir, 'hurt-0')
      await broker.start()
      await isOutOfService(broker)
    })
  })

  test.each([
    ['a flipped bit in a record', flipBit],
    ['a record that is cut off', cutOff],
    ['a record that is missing', remove],
  ])('of the metadata, %s, is refused at start', async (_, damage) => {
    await makeData()
    const path = damage(join(dataDir, 'metadata', 'log'))
    const { code, said } = await refusal({})
    expect(code).toBe(1)
    expect(reasonIn(said)).toContain(path)
  })
})

/** Five batches for each of three partitions. */
async function fill(broker: TestBroker): Promise<void> {
  using client = await BrokerClient.connect(broker.port)
  await client.createTopics([{ name: 'hurt', partitions: 2 }, { name: 'well' }])
  for (const place of [placeOf('hurt', 0), placeOf('hurt', 1), placeOf('well', 0)]) {
    for (let count = 0; count < 5; count++) {
      const batch = encodeBatch({ records: [{ value: 'x'.repeat(50) }] })
      expect((await client.produce(place, batch)).errorCode).toBe(0)
    }
  }
}

function emptyFirstSegment(folder: string, partition: string): void {
  writeFileSync(segments(folder, partition)[0]!, '')
}

function removeFirstSegment(folder: string, partition: string): void {
  rmSync(segments(folder, partition)[0]!)
}

function removeDirectory(folder: string, partition: string): void {
  rmSync(dirname(segments(folder, partition)[0]!), { recursive: true })
}

async function isOutOfService(broker: TestBroker): Promise<void> {
  using client = await BrokerClient.connect(broker.port)
  const one = encodeBatch({ records: [{ value: 'y' }] })
  const storageError = 56
  expect((await client.fetch(placeOf('hurt', 0), 0)).errorCode).toBe(storageError)
  expect((await client.produce(placeOf('hurt', 0), one)).errorCode).toBe(storageError)
  expect((await client.listOffset(placeOf('hurt', 0), -1)).errorCode).toBe(storageError)
  for (const place of [placeOf('hurt', 1), placeOf('well', 0)]) {
    expect((await client.fetch(place, 0)).errorCode).toBe(0)
    expect((await client.produce(place, one)).errorCode).toBe(0)
  }
  const isOfHurt = (line: object): boolean => JSON.stringify(line).includes('hurt')
  await lineOf(broker, 'the log that is out of service', isOfHurt)
  expect(JSON.stringify(logLines(broker).findLast(isOfHurt))).not.toContain('well')
}

function placeOf(topic: string, partition: number) {
  return { topic, partition }
}

/** Waits until the recovery point of a partition is its end. */
async function isFlushed(partition: string, end: number): Promise<void> {
  const isIn = (offsets: Record<string, number>): boolean =>
    Object.keys(offsets).some(key => key.startsWith(`${partition}.`) && offsets[key] === end)
  const path = join(dataDir, 'recovery-point-checkpoint')
  await eventually(`${partition} is flushed`, () => offsetsIn(path), isIn)
}

function offsetsIn(path: string): Record<string, number> {
  try {
    const { body } = JSON.parse(readFileSync(path, 'utf8')) as { body: Record<string, unknown> }
    return body['offsets'] as Record<string, number>
  } catch {
    return {}
  }
}

function flipBit(folder: string): string {
  const path = middleOf(folder)
  const bytes = readFileSync(path)
  bytes[bytes.length - 10]! ^= 4
  writeFileSync(path, bytes)
  return path
}

function cutOff(folder: string): string {
  const path = middleOf(folder)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length >> 1))
  return path
}

function remove(folder: string): string {
  const path = middleOf(folder)
  rmSync(path)
  return path
}

function middleOf(folder: string): string {
  const names = readdirSync(folder).toSorted()
  return join(folder, names[names.length >> 1]!)
}

/** Root may write everywhere, except on what is mounted read-only. */
async function makeReadOnly(
  path: string,
): Promise<{ why: string | null; [Symbol.asyncDispose](): Promise<void> }> {
  if (process.getuid?.() !== 0) {
    chmodSync(path, 0o555)
    return { why: null, [Symbol.asyncDispose]: async () => chmodSync(path, 0o755) }
  }
  const mounted = await run('mount', ['--bind', path, path], { anyStatus: true })
  if (mounted.status !== 0) {
    return { why: `no mount: ${mounted.stderr.trim()}`, [Symbol.asyncDispose]: async () => {} }
  }
  await run('mount', ['-o', 'remount,bind,ro', path, path])
  return { why: null, [Symbol.asyncDispose]: async () => void (await run('umount', [path])) }
}
