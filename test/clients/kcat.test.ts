import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { describeWith, kcat } from '../helpers/clients.ts'
import { eventually } from '../helpers/eventually.ts'
import { batchesOnDisk, codecNames } from '../helpers/segments.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'

/** So that a kcat that has to wait for a processor does not send what it has read until then, a batch too small for its codec. */
const wholeBatches = ['-X', 'linger.ms=300']

/** One line of `kcat -C -J`. */
interface Envelope {
  readonly partition: number
  readonly offset: number
  readonly tstype: string
  readonly ts: number
  readonly headers?: string[]
  readonly key: string | null
  readonly payload: string | null
}

describeWith('kcat', 'kcat 1.7.1 (librdkafka 2.0.2)', () => {
  const broker = suiteBroker()

  /** Lines into partition 0, key before the tab. */
  async function produce(
    topic: string,
    lines: readonly string[],
    ...args: string[]
  ): Promise<void> {
    const input = lines.map(line => `${line}\n`).join('')
    const key = ['-K', '\t']
    await kcat(['-P', '-b', broker().address, '-t', topic, '-p', '0', ...key, ...args], { input })
  }

  async function consume(topic: string, ...args: string[]): Promise<Envelope[]> {
    const from = ['-C', '-b', broker().address, '-t', topic, '-e', '-q', '-J']
    const { stdout } = await kcat([...from, ...args])
    const lines = stdout.split('\n').filter(line => line !== '')
    return lines.map(line => JSON.parse(line) as Envelope)
  }

  // A kcat waits more than it works: those that need the broker alive run beside each other.
  test.concurrent.each(codecNames)('produces and consumes with codec %s', async codec => {
    const topic = `codec-${codec}`
    const lines = Array.from({ length: 500 }, (_, at) => `key ${at % 9}\tvalue ${at} of ${codec}`)
    const headers = ['-H', 'a=1', '-H', 'Größe=groß']
    await produce(topic, lines, '-z', codec, ...headers, ...wholeBatches)
    const records = await consume(topic, '-p', '0', '-o', 'beginning')
    expect(records.map(({ key, payload }) => `${key}\t${payload}`)).toEqual(lines)
    expect(records.map(({ offset }) => offset)).toEqual(lines.map((_, at) => at))
    expect(records[0]!.headers).toEqual(['a', '1', 'Größe', 'groß'])
    expect(records[0]!.tstype).toBe('create')
    // A batch that the codec does not make smaller is sent as it is; the first may be one record.
    const batches = batchesOnDisk(broker().dataDir, topic, 0).filter(({ count }) => count > 9)
    expect([...new Set(batches.map(batch => batch.codec))]).toEqual([codec])
  })

  test.concurrent('null keys and null values stay null', async () => {
    await produce('nulls', ['tombstone\t', '\tno key', '\t'], '-Z')
    const records = await consume('nulls', '-p', '0', '-o', '0')
    expect(records.map(({ key, payload }) => [key, payload])).toEqual([
      ['tombstone', null],
      [null, 'no key'],
      [null, null],
    ])
  })

  test.concurrent('a topic comes into being by the first metadata request, with four partitions', async () => {
    await produce('auto', ['a\tb'])
    const { stdout } = await kcat(['-L', '-J', '-b', broker().address])
    const metadata = JSON.parse(stdout) as {
      brokers: { id: number; name: string }[]
      topics: { topic: string; partitions: { leader: number }[] }[]
    }
    expect(metadata.brokers.map(({ name }) => name)).toEqual([broker().address])
    const auto = metadata.topics.find(({ topic }) => topic === 'auto')!
    const leader = metadata.brokers[0]!.id
    expect(auto.partitions.map(partition => partition.leader)).toEqual(Array(4).fill(leader))
  })

  test.concurrent('consumption begins where it is told to', async () => {
    const lines = Array.from({ length: 20 }, (_, at) => `k\tv${at}`)
    await produce('offsets', lines)
    const payloads = async (from: string): Promise<(string | null)[]> =>
      (await consume('offsets', '-p', '0', '-o', from)).map(record => record.payload)
    expect(await payloads('17')).toEqual(['v17', 'v18', 'v19'])
    expect(await payloads('-2')).toEqual(['v18', 'v19'])
    expect(await payloads('end')).toEqual([])
    const all = await consume('offsets', '-p', '0', '-o', 'beginning')
    expect(await payloads(`s@${all[0]!.ts}`)).toHaveLength(20)
    expect(await payloads(`s@${all.at(-1)!.ts + 1}`)).toEqual([])
  })

  test.concurrent('offsets are found by time', async () => {
    await produce('times', ['k\tfirst'])
    const [first] = await consume('times', '-p', '0', '-o', '0')
    const query = async (time: number): Promise<string> =>
      (await kcat(['-Q', '-b', broker().address, '-t', `times:0:${time}`])).stdout.trim()
    expect(await query(-1)).toBe('times [0] offset 1')
    expect(await query(-2)).toBe('times [0] offset 0')
    expect(await query(first!.ts)).toBe('times [0] offset 0')
    expect(await query(first!.ts + 1000)).toBe('times [0] offset -1')
  })

  test.concurrent.each(['0', '1', 'all'])('acks=%s', async acks => {
    await produce(`acks-${acks}`, ['a\tb', 'c\td'], '-X', `acks=${acks}`)
    // With acks=0 nobody has waited for the broker.
    const found = async () => (await consume(`acks-${acks}`, '-p', '0', '-o', '0')).length
    await eventually('records', found, count => count === 2)
  })

  test.concurrent('an idempotent producer has an id', async () => {
    await produce('idempotent', ['a\tb', 'c\td'], '-X', 'enable.idempotence=true')
    expect(await consume('idempotent', '-p', '0', '-o', '0')).toHaveLength(2)
    const ids = batchesOnDisk(broker().dataDir, 'idempotent', 0).map(batch => batch.producerId)
    expect(Math.min(...ids)).toBeGreaterThanOrEqual(0)
  })

  test.concurrent('a partition that does not exist is refused', async () => {
    await produce('known', ['a\tb'])
    const bad = ['-P', '-b', broker().address, '-t', 'known', '-p', '99']
    const { stderr, status } = await kcat(bad, { input: 'x\n', anyStatus: true })
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/Unknown partition/)
  })

  test.concurrent('100,000 keyed lines over four partitions come back whole, in order by key', async () => {
    const lines = Array.from({ length: 100_000 }, (_, at) => `key ${at % 997}\tvalue ${at}`)
    const input = lines.map(line => `${line}\n`).join('')
    await kcat(['-P', '-b', broker().address, '-t', 'many', '-K', '\t', '-z', 'lz4'], { input })
    const format = ['-f', '%p\t%o\t%k\t%s\n']
    const read = ['-C', '-b', broker().address, '-t', 'many', '-e', '-q', '-o', 'beginning']
    const { stdout } = await kcat([...read, ...format])
    const records = stdout
      .trimEnd()
      .split('\n')
      .map(line => line.split('\t'))
    expect(records).toHaveLength(lines.length)
    for (const partition of ['0', '1', '2', '3']) {
      const offsets = records.filter(([at]) => at === partition).map(([, offset]) => Number(offset))
      expect(offsets.length).toBeGreaterThan(0)
      expect(offsets.every((offset, at) => offset === at)).toBe(true)
    }
    const back = records.map(([, , key, value]) => `${key}\t${value}`)
    expect(digestByKey(back)).toBe(digestByKey(lines))
  })

  test('what was produced outlives a stop and a kill', async () => {
    await produce('outlives', ['a\t1', 'b\t2'])
    await broker().stop()
    await broker().start()
    await produce('outlives', ['c\t3'])
    await broker().kill()
    await broker().start()
    const records = await consume('outlives', '-p', '0', '-o', 'beginning')
    expect(records.map(({ offset, payload }) => [offset, payload])).toEqual([
      [0, '1'],
      [1, '2'],
      [2, '3'],
    ])
  })
})

/** One digest for lists that hold the same lines in the same order for each key, whatever lies between. */
function digestByKey(lines: readonly string[]): string {
  const byKey = new Map<string, string[]>()
  for (const line of lines) {
    const key = line.slice(0, line.indexOf('\t'))
    const of = byKey.get(key)
    if (of) of.push(line)
    else byKey.set(key, [line])
  }
  const text = [...byKey.keys()].toSorted().map(key => byKey.get(key)!.join('\n'))
  return createHash('sha256').update(text.join('\n\n')).digest('hex')
}
