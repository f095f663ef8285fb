import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWith, java } from '../helpers/clients.ts'
import { batchesOnDisk, codecNames, codecsOnDisk, partitionFolder } from '../helpers/segments.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'

const tools = 'org.apache.kafka.tools'
const keyed = ['parse.key=true', 'parse.headers=true', 'null.marker=NULL']
const printed = ['print.key=true', 'print.headers=true', 'print.offset=true', 'null.literal=NULL']

/** A Java process takes seconds to start, so one run does as much as it can. */
describeWith('java', 'Apache Kafka 4.3 console tools', () => {
  const broker = suiteBroker()

  async function topics(...args: string[]): Promise<string> {
    const server = ['--bootstrap-server', broker().address]
    return (await java(`${tools}.TopicCommand`, [...server, ...args])).stdout
  }

  async function produce(topic: string, codec: string, input: string): Promise<void> {
    const to = ['--bootstrap-server', broker().address, '--topic', topic]
    const properties = keyed.flatMap(property => ['--reader-property', property])
    const settings = ['--compression-codec', codec, '--timeout', '200', ...properties]
    await java(`${tools}.ConsoleProducer`, [...to, ...settings], { input })
  }

  async function consume(topic: string, offset: string, count: number): Promise<string[]> {
    const from = ['--bootstrap-server', broker().address, '--topic', topic, '--partition', '0']
    const limits = ['--offset', offset, '--max-messages', String(count), '--timeout-ms', '60000']
    const properties = printed.flatMap(property => ['--formatter-property', property])
    const args = [...from, ...limits, ...properties]
    const { stdout } = await java(`${tools}.consumer.ConsoleConsumer`, args)
    return stdout.trimEnd().split('\n')
  }

  function linesOf(codec: string): string[][] {
    return Array.from({ length: 100 }, (_, at) => [
      `codec:${codec},at:${at}`,
      at % 10 === 3 ? 'NULL' : `key ${at % 7}`,
      at % 10 === 5 ? 'NULL' : `value ${at} of ${codec}`,
    ])
  }

  test('creates, describes, lists and deletes topics', async () => {
    const wish = ['--partitions', '3', '--replication-factor', '1']
    const config = ['--config', 'retention.ms=60000']
    await topics('--create', '--topic', 'made', ...wish, ...config)
    const described = await topics('--describe', '--topic', 'made')
    expect(described).toMatch(/PartitionCount: 3\tReplicationFactor: 1/)
    expect(described).toMatch(/retention\.ms=60000/)
    expect(described.match(/Leader: \d/g)).toHaveLength(3)
    expect((await topics('--list')).split('\n')).toContain('made')
    await topics('--delete', '--topic', 'made')
    expect((await topics('--list')).split('\n')).not.toContain('made')
  })

  test('produces with every codec, idempotent by default, and consumes', async () => {
    await topics('--create', '--topic', 'codecs', '--partitions', '1')
    for (const codec of codecNames) {
      const input = linesOf(codec).map(parts => `${parts.join('\t')}\n`)
      await produce('codecs', codec, input.join(''))
    }
    const sent = codecNames.flatMap(linesOf)
    const expected = sent.map((parts, offset) => [`Offset:${offset}`, ...parts].join('\t'))
    expect(await consume('codecs', 'earliest', sent.length)).toEqual(expected)
    expect(await consume('codecs', '450', 50)).toEqual(expected.slice(450))
    expect(codecsOnDisk(broker().dataDir, 'codecs', 0)).toEqual(codecNames)
    const ids = batchesOnDisk(broker().dataDir, 'codecs', 0).map(batch => batch.producerId)
    expect(new Set(ids).size).toBe(codecNames.length)
    expect(Math.min(...ids)).toBeGreaterThanOrEqual(0)
  })

  test('dumps what the broker wrote: a segment is as Kafka has them, and no other file has the name of one', async () => {
    await topics('--create', '--topic', 'dumped', '--partitions', '1')
    await produce('dumped', 'lz4', 'a:1\tkey\tvalue of a record\n')
    const folder = partitionFolder(broker().dataDir, 'dumped', 0)
    const kafkas = /\.(?:log|index|timeindex|txnindex|snapshot|checkpoint)$/
    const files = readdirSync(folder).filter(name => kafkas.test(name))
    expect(files).toEqual(['00000000000000000000.log'])
    const args = ['--deep-iteration', '--print-data-log', '--files', join(folder, files[0]!)]
    const { stdout } = await java(`${tools}.DumpLogSegments`, args)
    expect(stdout).toMatch(
      /baseOffset: 0 lastOffset: 0 count: 1 .* compresscodec: lz4 .* isvalid: true/,
    )
    expect(stdout).toContain('key: key payload: value of a record')
  })

  test('tells offsets', async () => {
    await topics('--create', '--topic', 'offsets', '--partitions', '1')
    await produce('offsets', 'none', 'a:1\tkey\tvalue\n')
    const ask = ['--bootstrap-server', broker().address, '--topic', 'offsets']
    const { stdout } = await java(`${tools}.GetOffsetShell`, ask)
    expect(stdout.trim()).toBe('offsets:0:1')
  })
})
