import { expect, test } from 'vitest'
import { describeWith, java, kcat } from '../helpers/clients.ts'
import { suiteBroker } from '../helpers/suite-broker.ts'
import { CompactedTopic, type Rec } from './compacted-topic.ts'
import { OurSubject } from './our-subject.ts'
import { cleanerSettings } from './scenarios.ts'

const broker = suiteBroker({ settings: cleanerSettings })

/** `OFFSET KEY VALUE` of each record. */
type Lines = readonly string[]

/** A topic with holes: between batches, in them, at its beginning, and a batch without records. Returns what is left. */
async function compacted(name: string): Promise<Lines> {
  const subject = await OurSubject.of(broker())
  const topic = new CompactedTopic(subject, name)
  await topic.make({ 'delete.retention.ms': '0' })
  const by = await topic.producer()
  const keyed = (keys: string, version: number): Rec[] =>
    Array.from(keys, key => [key, `${key}${version}`])
  await topic.produce(keyed('abcdef', 1), { codec: 'gzip' })
  await topic.produce(keyed('ab', 2), { by })
  await topic.produce([['c', null], ...keyed('gh', 2)], { codec: 'zstd' })
  topic.roll()
  await topic.produce(keyed('abdg', 3), { codec: 'lz4' })
  topic.roll()
  await topic.produce(keyed('i', 4))
  await topic.clean()
  topic.roll()
  await topic.produce(keyed('j', 5))
  await topic.clean()
  const batches = await topic.read()
  subject.client.close()
  expect(batches.some(({ header }) => header.count === 0)).toBe(true)
  const text = (bytes: Uint8Array | null): string => String(Buffer.from(bytes!))
  return batches.flatMap(({ records }) => {
    return records.map(({ offset, key, value }) => `${offset} ${text(key)} ${text(value)}`)
  })
}

const left = [
  '4 e e1',
  '5 f f1',
  '10 h h2',
  '11 a a3',
  '12 b b3',
  '13 d d3',
  '14 g g3',
  '15 i i4',
  '16 j j5',
]

describeWith('kcat', 'librdkafka', () => {
  test('reads it from its beginning, and from offsets that are not there any more', async () => {
    expect(await compacted('for-kcat')).toEqual(left)
    const from = async (offset: string): Promise<Lines> => {
      const of = ['-C', '-b', broker().address, '-t', 'for-kcat', '-p', '0', '-e', '-q']
      const { stdout } = await kcat([...of, '-o', offset, '-f', '%o %k %s\n'])
      return stdout.split('\n').slice(0, -1)
    }
    expect(await from('beginning')).toEqual(left)
    expect(await from('6')).toEqual(left.slice(2))
    expect(await from('9')).toEqual(left.slice(2))
    expect(await from('-1')).toEqual(left.slice(-1))
  })
})

describeWith('java', "Kafka's Java client", () => {
  test('reads it from its beginning, and from an offset that is not there any more', async () => {
    expect(await compacted('for-java')).toEqual(left)
    const from = async (offset: string, count: number): Promise<Lines> => {
      const shown = ['key', 'offset'].flatMap(of => ['--formatter-property', `print.${of}=true`])
      const of = ['--topic', 'for-java', '--partition', '0', '--offset', offset]
      const limits = ['--max-messages', String(count), '--timeout-ms', '60000']
      const args = ['--bootstrap-server', broker().address, ...of, ...limits, ...shown]
      const { stdout } = await java('org.apache.kafka.tools.consumer.ConsoleConsumer', args)
      const lines = stdout.trimEnd().split('\n')
      return lines.map(line => line.replace('Offset:', '').replaceAll('\t', ' '))
    }
    expect(await from('earliest', left.length)).toEqual(left)
    expect(await from('7', left.length - 2)).toEqual(left.slice(2))
  })
})
