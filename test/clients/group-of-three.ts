import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { offsetFetch } from '../../src/broker/wire/messages/index.ts'
import { kitFolder } from '../../tools/clients.ts'
import { eventually } from '../helpers/eventually.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

export const partitionCount = 6

/** How a member of some library is started. */
export interface MemberProgram {
  readonly library: string
  readonly command: readonly string[]
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** It hands out what a fetch brings that was under way when the partition was taken from it. */
  readonly repeatsAtHandOver?: boolean
}

const members = join(import.meta.dirname, 'members')

export const memberPrograms = {
  kafkajs: { library: 'kafkajs', command: [process.execPath, join(members, 'kafkajs.ts')] },
  platformatic: {
    library: '@platformatic/kafka',
    command: [process.execPath, join(members, 'platformatic.ts')],
    repeatsAtHandOver: true,
  },
  confluent: confluent('confluent-kafka, eager', []),
  cooperative: confluent('confluent-kafka, cooperative', [
    '{"partition.assignment.strategy":"cooperative-sticky"}',
  ]),
} as const satisfies Record<string, MemberProgram>

function confluent(library: string, args: readonly string[]): MemberProgram {
  const command = ['python3', '-B', join(members, 'confluent.py')]
  const env = { PYTHONPATH: kitFolder('confluent-kafka'), PYTHONUNBUFFERED: '1' }
  return { library, command, args, env }
}

/** One process that is a member of a group. */
export class MemberProcess {
  /** What it was assigned last; null before the first time. */
  assigned: readonly number[] | null = null
  /** `partition:offset` of every record that it read. */
  readonly read: string[] = []
  said = ''
  /** By itself, or killed. */
  hasEnded = false
  readonly #process: ChildProcess
  readonly #ended: Promise<number | null>

  constructor(program: MemberProgram, orders: readonly string[]) {
    const [file, ...args] = [...program.command, ...orders, ...(program.args ?? [])]
    this.#process = spawn(file!, args, {
      env: { ...process.env, ...program.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let rest = ''
    this.#process.stdout!.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop()!
      for (const line of lines) this.#hear(line)
    })
    this.#process.stderr!.on('data', (chunk: Buffer) => (this.said += chunk.toString()))
    this.#ended = new Promise(resolve => this.#process.once('close', resolve))
    void this.#ended.then(() => (this.hasEnded = true))
  }

  /** Leaves its group in order. */
  async leave(): Promise<void> {
    this.#process.stdin!.write('leave\n')
    const status = await this.#ended
    if (status !== 0) throw new Error(`a member ended with ${status}: ${this.said}`)
  }

  /** SIGKILL: the group hears nothing of it. */
  async crash(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }

  #hear(line: string): void {
    if (!line.startsWith('{')) return void (this.said += `${line}\n`)
    const what = JSON.parse(line) as { assigned?: number[]; partition?: number; offset?: number }
    if (what.assigned !== undefined) this.assigned = what.assigned
    else this.read.push(`${what.partition}:${what.offset}`)
  }
}

/** A group of one library, and the topic that it reads. */
export class GroupOfThree {
  readonly alive = new Set<MemberProcess>()
  readonly #brokers: { readonly address: string }
  readonly #program: MemberProgram
  readonly #topic: string
  readonly group: string
  readonly #all: MemberProcess[] = []
  #produced = 0

  constructor(brokers: { readonly address: string }, program: MemberProgram, topic: string) {
    this.#brokers = brokers
    this.#program = program
    this.#topic = topic
    this.group = `group-${topic}`
  }

  start(): MemberProcess {
    const name = `member-${this.#all.length}`
    const orders = [this.#brokers.address, this.#topic, this.group, name]
    const member = new MemberProcess(this.#program, orders)
    this.#all.push(member)
    this.alive.add(member)
    return member
  }

  async leave(member: MemberProcess): Promise<void> {
    this.alive.delete(member)
    await member.leave()
  }

  async crash(member: MemberProcess): Promise<void> {
    this.alive.delete(member)
    await member.crash()
  }

  /** `count` records into every partition. */
  async produce(client: Pick<BrokerClient, 'produce'>, count: number): Promise<void> {
    for (let partition = 0; partition < partitionCount; partition++) {
      const records = Array.from({ length: count }, (_, at) => ({ value: `record ${at}` }))
      const batch = encodeBatch({ records, baseTimestamp: Date.now() })
      const { errorCode } = await client.produce({ topic: this.#topic, partition }, batch)
      if (errorCode !== 0) throw new Error(`produce error ${errorCode}`)
    }
    this.#produced += count
  }

  /** Everybody who is alive has his part, all parts together are the topic, and none is in two. */
  async settled(): Promise<void> {
    await this.#until('the group has settled', () => {
      const parts = [...this.alive].map(({ assigned }) => assigned)
      const all = parts.flatMap(part => part ?? [])
      const isDisjoint = new Set(all).size === all.length
      return isDisjoint && all.length === partitionCount && parts.every(part => part?.length)
    })
  }

  /** Every record was read by somebody. */
  async everythingRead(): Promise<void> {
    await this.#until('everything is read', () => {
      const read = new Set(this.#all.flatMap(member => member.read))
      return read.size === partitionCount * this.#produced
    })
  }

  /** What the group has committed is all that there is. */
  async everythingCommitted(client: Pick<BrokerClient, 'request'>): Promise<void> {
    let told: readonly number[] = []
    await this.#until('everything is committed', async () => {
      const { groups } = await client.request(offsetFetch, 8, {
        groupId: '',
        topics: null,
        groups: [{ groupId: this.group, topics: null }],
        requireStable: false,
      })
      told = groups[0]!.topics.flatMap(({ partitions }) =>
        partitions.map(one => Number(one.committedOffset)),
      )
      return told.length === partitionCount && told.every(offset => offset === this.#produced)
    })
  }

  /** How many records were read more than once. */
  get repeatedCount(): number {
    const read = this.#all.flatMap(member => member.read)
    return read.length - new Set(read).size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.alive) await member.crash()
  }

  /** Where it never holds, everything that members told is told. */
  async #until(
    what: string,
    holds: () => boolean | number | undefined | Promise<boolean>,
  ): Promise<void> {
    const look = async (): Promise<string> => ((await holds()) ? '' : this.#told())
    await eventually(what, look, missing => missing === '')
  }

  #told(): string {
    const parts = this.#all.map(({ assigned, read }) => `${String(assigned)} (${read.length} read)`)
    const said = this.#all.map(member => member.said).join('\n')
    return `${parts.join('; ')}\n${said.slice(-3500)}`
  }
}
