import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { kcat, kcatCommand } from '../../helpers/programs.ts'
import {
  Lacks,
  type MemberWish,
  minBytesWaitMs,
  numbers,
  type PlacedRecord,
  say,
  serve,
  sessionMs,
  type Verbs,
} from './serve.ts'

/** One line of `kcat -C -J`. */
interface Envelope {
  readonly partition: number
  readonly offset: number
  readonly ts: number
  readonly headers?: readonly string[]
  readonly key: string | null
  readonly payload: string | null
}

/** It waits for so many bytes on standard input before it looks for a line in them. */
const readBytes = 4096

function verbsOf(address: string): Verbs {
  async function consume(args: readonly string[]): Promise<Envelope[]> {
    const { stdout } = await kcat(['-b', address, '-q', '-J', ...args], { timeoutMs: 20_000 })
    const lines = stdout.split('\n').filter(line => line !== '')
    return lines.map(line => JSON.parse(line) as Envelope)
  }

  return {
    async version() {
      const { stdout, stderr } = await kcat(['-V'], { anyStatus: true })
      const told = /Version ([\d.]+).*librdkafka ([\d.]+)/s.exec(stdout + stderr)
      return `${told?.[1]} (librdkafka ${told?.[2]})`
    },

    async produce({ topic, partition, records, codec, acks }) {
      const given = records.filter(({ timestamp }) => timestamp !== undefined)
      if (given.length > 0) throw new Lacks('cannot set timestamps')
      const to = ['-P', '-b', address, '-t', topic, '-p', String(partition), '-z', codec]
      const limits = settings(`acks=${acks}`, 'message.max.bytes=4194304', 'linger.ms=100')
      // Headers are one set to a call, and an empty field is null or empty for the whole call.
      for (const group of alike(records)) {
        const [first] = group
        const headers = first!.headers.flatMap(([name, value]) => ['-H', `${name}=${value}`])
        const hasNull = group.some(({ key, value }) => key === null || value === null)
        const lines = group.map(({ key, value }) => `${key ?? ''}\t${value ?? ''}\n`)
        const form = ['-K', '\t', ...(hasNull ? ['-Z'] : [])]
        await kcat([...to, ...limits, ...headers, ...form], { input: lines.join('') })
      }
    },

    async flow(wish) {
      const failed: string[] = []
      let producer = new Producing(address, wish.topic)
      let count = 0
      for await (const at of numbers(wish)) {
        // It ends when it finds its topic gone, by design, and is started again, as a script would.
        if (producer.isOver && producer.said.includes('Unknown topic')) {
          failed.push(`kcat ended: ${producer.said.trim()}`)
          producer = new Producing(address, wish.topic)
        }
        if (producer.isOver) break
        producer.write(at)
        count++
      }
      failed.push(...(await producer.finish()))
      return { acked: count - failed.length, failed }
    },

    async consume({ topic, partition, offset, count, minBytes }) {
      const from = ['-t', topic, '-p', String(partition), '-o', String(offset)]
      const waits = [`fetch.min.bytes=${minBytes}`, `fetch.wait.max.ms=${minBytesWaitMs}`]
      const given = minBytes === undefined ? [] : settings(...waits)
      const found = await consume(['-C', ...from, '-c', String(count), ...given])
      return found.map(placed)
    },

    async offsetForTime({ topic, partition, timestamp }) {
      const asked = ['-Q', '-b', address, '-t', `${topic}:${partition}:${timestamp}`]
      const { stdout } = await kcat(asked)
      return Number(/offset (-?\d+)/.exec(stdout)?.[1])
    },

    async partitions({ topic }) {
      const { stdout } = await kcat(['-L', '-b', address, '-t', topic])
      return [...stdout.matchAll(/^\s+partition \d+,/gm)].length
    },

    pauseResume: () => {
      const why =
        'kcat cannot pause a partition: it reads until it ends, and takes no commands meanwhile'
      return Promise.reject(new Lacks(why))
    },
    createTopic: () => {
      const why =
        'kcat has no requests of an administrator: it cannot make a topic with partitions and configs'
      return Promise.reject(new Lacks(why))
    },

    async consumeGroup({ topic, group, count }) {
      const quick = settings('auto.offset.reset=earliest', 'session.timeout.ms=6000')
      const found = await consume([...quick, '-c', String(count), '-G', group, topic])
      return found.map(({ partition, offset }) => ({ partition, offset }))
    },
  }
}

function settings(...pairs: string[]): string[] {
  return pairs.flatMap(pair => ['-X', pair])
}

/** One kcat that produces a line at a time. */
class Producing {
  isOver = false
  said = ''
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<number | null>

  constructor(address: string, topic: string) {
    const { file, env } = kcatCommand()
    const refresh = settings('topic.metadata.refresh.interval.ms=500', 'message.timeout.ms=20000')
    // What gathers while nobody leads is one batch by itself, and greater than a small `max.message.bytes`.
    const small = settings('batch.num.messages=10')
    const args = ['-P', '-E', '-b', address, '-t', topic, '-X', 'acks=all', ...refresh, ...small]
    this.#child = spawn(file, args, { env: { ...process.env, ...env } })
    this.#child.stderr.on('data', (chunk: Buffer) => (this.said += chunk.toString()))
    this.#child.stdin.on('error', () => {})
    this.#ended = new Promise(resolve => this.#child.once('close', resolve))
    void this.#ended.then(() => (this.isOver = true))
  }

  write(value: number): void {
    this.#child.stdin.write(`${String(value).padEnd(readBytes - 1)}\n`)
  }

  /** What it says of records that it could not deliver, or why it failed. */
  async finish(): Promise<string[]> {
    this.#child.stdin.end()
    const status = await this.#ended
    const failed = this.said.split('\n').filter(line => line.includes('Delivery failed'))
    return status !== 0 && failed.length === 0 ? [`ended with ${status}: ${this.said}`] : failed
  }
}

function placed({ offset, ts, headers = [], key, payload }: Envelope): PlacedRecord {
  const pairs = headers.flatMap((name, at) =>
    at % 2 === 0 ? [[name, headers[at + 1]!] as const] : [],
  )
  return { offset, key, value: payload, headers: pairs, timestamp: ts }
}

/** Neighbours that one call of kcat can produce. */
function alike(records: Parameters<NonNullable<Verbs['produce']>>[0]['records']) {
  const groups: (typeof records)[number][][] = []
  const shape = ({ key, value, headers }: (typeof records)[number]): string =>
    JSON.stringify([headers, key === null || value === null, key === '' || value === ''])
  for (const record of records) {
    const last = groups.at(-1)
    if (last !== undefined && shape(last[0]!) === shape(record)) last.push(record)
    else groups.push([record])
  }
  return groups
}

/** kcat tells its partitions on stderr, in the middle of a sentence. */
function member(wish: MemberWish): Promise<() => Promise<void>> {
  const given = [
    `client.id=${wish.name}`,
    ...(wish.instance === null ? [] : [`group.instance.id=${wish.instance}`]),
    `session.timeout.ms=${sessionMs(wish)}`,
    'heartbeat.interval.ms=300',
    `max.poll.interval.ms=${Math.max(10_000, sessionMs(wish))}`,
    'auto.commit.interval.ms=200',
    'auto.offset.reset=earliest',
    'topic.metadata.refresh.interval.ms=500',
  ].flatMap(pair => ['-X', pair])
  const { file, env } = kcatCommand()
  const form = ['-E', '-u', '-f', '{"partition":%p,"offset":%o}\n']
  const args = ['-b', wish.address, ...given, ...form, '-G', wish.group, wish.topic]
  // It must not outlive this process, which is killed to make a member crash.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', file, ...args], {
    env: { ...process.env, ...env },
  })
  createInterface({ input: child.stdout }).on('line', line => say(JSON.parse(line)))
  createInterface({ input: child.stderr }).on('line', line => {
    const told = /assigned: (.*)$/.exec(line)
    if (told === null) return console.error(line)
    say({ assigned: [...told[1]!.matchAll(/\[(\d+)\]/g)].map(match => Number(match[1])) })
  })
  return Promise.resolve(() => terminated(child))
}

function terminated(child: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    child.once('close', () => resolve())
    child.kill('SIGTERM')
  })
}

serve(verbsOf, member)
