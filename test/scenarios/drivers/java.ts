import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { kitFolder } from '../../../tools/clients.ts'
import { java, javaCommand } from '../../helpers/programs.ts'
import {
  Lacks,
  type MemberWish,
  minBytesWaitMs,
  type PlacedRecord,
  say,
  serve,
  sessionMs,
  sleep,
  type Verbs,
} from './serve.ts'

const tools = 'org.apache.kafka.tools'

/** One event of VerifiableProducer or VerifiableConsumer. */
interface Event {
  readonly name: string
  readonly exception?: string
  readonly message?: string
  readonly partitions?: readonly {
    readonly topic: string
    readonly partition: number
    readonly minOffset?: number
    readonly maxOffset?: number
  }[]
}

function verbsOf(address: string): Verbs {
  const server = ['--bootstrap-server', address]

  async function topics(...args: string[]): Promise<void> {
    await java(`${tools}.TopicCommand`, [...server, ...args])
  }

  return {
    version: () => Promise.resolve(basename(kitFolder('java')).replace(/^java-|-core$/g, '')),

    async produce({ topic, partition, records, codec, acks }) {
      if (partition !== 0) throw new Lacks('cannot choose a partition')
      if (records.some(one => one.timestamp !== undefined)) throw new Lacks('cannot set timestamps')
      const to = [...server, '--topic', topic, '--compression-codec', codec, '--timeout', '200']
      const reader = ['parse.key=true', 'parse.headers=true', 'null.marker=\\N']
      const properties = reader.flatMap(property => ['--reader-property', property])
      const settings = ['max.request.size=4194304', `acks=${acks}`, 'buffer.memory=33554432']
      const weak = acks === 'all' ? [] : ['enable.idempotence=false']
      const given = [...settings, ...weak].flatMap(pair => ['--command-property', pair])
      const sizes = ['--max-memory-bytes', '33554432', '--batch-size', '1048576']
      const lines = records.map(({ key, value, headers }) => {
        const pairs = headers.map(pair => pair.join(':')).join(',')
        return `${[pairs === '' ? '\\N' : pairs, key ?? '\\N', value ?? '\\N'].join('\t')}\n`
      })
      const args = [...to, ...sizes, ...properties, ...given]
      const { stderr } = await java(`${tools}.ConsoleProducer`, args, { input: lines.join('') })
      // A refusal is only logged, and its status is 0.
      const refused = stderr.split('\n').find(line => /Exception|ERROR/.test(line))
      if (refused !== undefined) throw new Error(stderr.slice(0, 1000))
    },

    async flow(wish) {
      const rate = String(Math.round(1000 / wish.everyMs))
      const to = [...server, '--topic', wish.topic, '--acks', '-1']
      const file = join(tmpdir(), `logcluster-verifiable-${process.pid}.properties`)
      // It keeps to one partition for as many bytes as a batch has room for (KIP-794): for many records of a few bytes.
      const settings = [
        'metadata.max.age.ms=500',
        'delivery.timeout.ms=30000',
        'request.timeout.ms=5000',
        'batch.size=200',
        // By itself it has none, and tells of a record that was under way when the broker went.
        'retries=2147483647',
      ]
      writeFileSync(file, settings.join('\n'))
      const args = [...to, '--throughput', rate, '--command-config', file]
      const child = started(`${tools}.VerifiableProducer`, args)
      const events: Event[] = []
      createInterface({ input: child.stdout }).on('line', line => events.push(...eventsOf(line)))
      let isOver = false
      const ended = once(child, 'close').then(() => (isOver = true))
      while (!isOver && !existsSync(wish.until)) await sleep(20)
      // It stops, sends what it has, and tells of that.
      child.kill('SIGTERM')
      await ended
      const bad = events.filter(({ name }) => name === 'producer_send_error')
      const acked = events.filter(({ name }) => name === 'producer_send_success').length
      return { acked, failed: bad.map(one => `${one.exception}: ${one.message}`) }
    },

    async consume({ topic, partition, offset, count, minBytes }) {
      const from = [...server, '--topic', topic, '--partition', String(partition)]
      const limits = ['--offset', String(offset), '--max-messages', String(count)]
      const parts = ['timestamp', 'offset', 'headers', 'key']
      const printed = parts.map(part => `print.${part}=true`)
      const properties = [...printed, 'null.literal=\\N'].flatMap(it => [
        '--formatter-property',
        it,
      ])
      const waits = [`fetch.min.bytes=${minBytes}`, `fetch.max.wait.ms=${minBytesWaitMs}`]
      const given = minBytes === undefined ? [] : waits.flatMap(it => ['--command-property', it])
      const args = [...from, ...limits, '--timeout-ms', '20000', ...properties, ...given]
      const { stdout } = await java(`${tools}.consumer.ConsoleConsumer`, args)
      return stdout.split('\n').slice(0, -1).map(printedRecord)
    },

    async offsetForTime({ topic, partition, timestamp }) {
      const asked = [...server, '--topic-partitions', `${topic}:${partition}`]
      const { stdout } = await java(`${tools}.GetOffsetShell`, [...asked, '--time', `${timestamp}`])
      const offset = stdout.trim().split(':')[2]
      return offset === undefined || offset === '' ? -1 : Number(offset)
    },

    async pauseResume({ topic, partition, before, total, quietMs }) {
      const source = join(import.meta.dirname, 'PauseResume.java')
      const numbers = [partition, before, total, quietMs].map(String)
      const { stdout } = await java(source, [address, topic, ...numbers])
      const lines = stdout.trim().split('\n')
      const [first, paused, rest] = lines.map(line => JSON.parse(line) as number[])
      return { before: first!, during: paused!, after: rest! }
    },

    async consumeGroup({ topic, group, count }) {
      const from = [...server, '--topic', topic, '--group', group, '--from-beginning']
      const limits = ['--max-messages', String(count), '--timeout-ms', '20000']
      const printed = ['print.partition=true', 'print.offset=true', 'print.value=false']
      const properties = printed.flatMap(it => ['--formatter-property', it])
      const args = [...from, ...limits, ...properties]
      const { stdout } = await java(`${tools}.consumer.ConsoleConsumer`, args)
      return stdout
        .split('\n')
        .slice(0, -1)
        .map(line => {
          const told = /Partition:(\d+)\tOffset:(\d+)/.exec(line)
          return { partition: Number(told?.[1]), offset: Number(told?.[2]) }
        })
    },

    createTopic: ({ topic, partitions, configs }) => {
      const pairs = Object.entries(configs).flatMap(([name, it]) => ['--config', `${name}=${it}`])
      return topics('--create', '--topic', topic, '--partitions', String(partitions), ...pairs)
    },
    growTopic: ({ topic, partitions }) =>
      topics('--alter', '--topic', topic, '--partitions', String(partitions)),
    async configureTopic({ topic, configs }) {
      const pairs = Object.entries(configs).map(pair => pair.join('='))
      const of = ['--alter', '--entity-type', 'topics', '--entity-name', topic]
      const args = [...server, ...of, '--add-config', pairs.join(',')]
      await java('kafka.admin.ConfigCommand', args)
    },
    async describeTopic({ topic }) {
      const of = ['--describe', '--all', '--entity-type', 'topics', '--entity-name', topic]
      const { stdout } = await java('kafka.admin.ConfigCommand', [...server, ...of])
      const lines = stdout.matchAll(/^\s+([\w.]+)=(.*) sensitive=/gm)
      return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]))
    },
    partitions: () =>
      Promise.reject(new Lacks('no tool asks for the metadata of one topic and may make it')),
    deleteTopic: ({ topic }) => topics('--delete', '--topic', topic),
  }
}

/** `CreateTime:TS TAB Offset:O TAB NAME:VALUE,... TAB KEY TAB VALUE`. */
function printedRecord(line: string): PlacedRecord {
  const [time = '', offset = '', headers = '', key = '', value = ''] = line.split('\t')
  const pairs = headers === 'NO_HEADERS' ? [] : headers.split(',').map(pair => pair.split(':'))
  return {
    offset: Number(offset.replace('Offset:', '')),
    key: key === '\\N' ? null : key,
    value: value === '\\N' ? null : value,
    headers: pairs.map(([name = '', text = '']) => [name, text] as const),
    timestamp: Number(time.replace(/^\w+:/, '')),
  }
}

function eventsOf(stdout: string): Event[] {
  const lines = stdout.split('\n').filter(line => line.startsWith('{'))
  return lines.map(line => JSON.parse(line) as Event)
}

/** VerifiableConsumer, which tells ranges of offsets. */
function member(wish: MemberWish): Promise<() => Promise<void>> {
  const settings = join(tmpdir(), `logcluster-member-${process.pid}.properties`)
  const lines = ['heartbeat.interval.ms=300', 'metadata.max.age.ms=500', `client.id=${wish.name}`]
  writeFileSync(settings, lines.join('\n'))
  const of = [
    '--topic',
    wish.topic,
    '--group-id',
    wish.group,
    '--session-timeout',
    String(sessionMs(wish)),
  ]
  const instance = wish.instance === null ? [] : ['--group-instance-id', wish.instance]
  const rest = ['--reset-policy', 'earliest', '--command-config', settings]
  const given = ['--bootstrap-server', wish.address, ...of, ...instance, ...rest]
  const child = started(`${tools}.VerifiableConsumer`, given)
  createInterface({ input: child.stdout }).on('line', line => {
    for (const event of eventsOf(line)) told(event)
  })
  return Promise.resolve(
    () =>
      new Promise(resolve => {
        child.once('close', () => resolve())
        child.kill('SIGTERM')
      }),
  )
}

/** It must not outlive this process, which is killed to make a member crash. */
function started(mainClass: string, given: readonly string[]): ChildProcessWithoutNullStreams {
  const { file, args } = javaCommand(mainClass)
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args, ...given])
  child.stderr.pipe(process.stderr)
  return child
}

function told({ name, partitions = [] }: Event): void {
  if (name === 'partitions_assigned') say({ assigned: partitions.map(one => one.partition) })
  if (name !== 'records_consumed') return
  for (const { partition, minOffset = 0, maxOffset = -1 } of partitions) {
    for (let offset = minOffset; offset <= maxOffset; offset++) say({ partition, offset })
  }
}

serve(verbsOf, member)
