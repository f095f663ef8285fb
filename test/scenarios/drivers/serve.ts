import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** A record as scenarios see it; text only. */
export interface TextRecord {
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly timestamp?: number
}

export interface TopicPartitionWish {
  readonly topic: string
  readonly partition: number
}

export interface ProduceWish extends TopicPartitionWish {
  readonly records: readonly TextRecord[]
  readonly codec: string
  readonly acks: '0' | '1' | 'all'
}

export interface ConsumeWish extends TopicPartitionWish {
  readonly offset: number
  readonly count: number
  /** As `fetch.min.bytes`, and then waits up to `minBytesWaitMs` for them; the library's default where it is left out. */
  readonly minBytes?: number
}

/** Longer than a verb waits for records: a fetch that should have been answered at once is missed. */
export const minBytesWaitMs = 25_000

export interface PauseWish extends TopicPartitionWish {
  readonly before: number
  readonly total: number
  readonly quietMs: number
}

export interface TopicWish {
  readonly topic: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

export interface FlowWish {
  readonly topic: string
  readonly everyMs: number
  /** It ends when this file is there. */
  readonly until: string
}

export interface GroupWish {
  readonly topic: string
  readonly group: string
  readonly count: number
}

export type PlacedRecord = TextRecord & { readonly offset: number }

/** What a client can be asked to do. A verb that its library does not have is left out, or throws `Lacks`. */
export interface Verbs {
  version(): Promise<string>
  /** Resolves when all is acknowledged; rejects with the refusal. One batch where the library lets. */
  produce?(wish: ProduceWish): Promise<void>
  /** One record after the other, its number as the value, `everyMs` apart, each with acks=all, until it is told to end. */
  flow?(wish: FlowWish): Promise<{ acked: number; failed: string[] }>
  /** The first `count` records from `offset` on. */
  consume?(wish: ConsumeWish): Promise<PlacedRecord[]>
  /** -1 where no record is as late. */
  offsetForTime?(wish: TopicPartitionWish & { timestamp: number }): Promise<number>
  /** Offsets read before a pause, in `quietMs` of it, and after. */
  pauseResume?(wish: PauseWish): Promise<{ before: number[]; during: number[]; after: number[] }>
  /** As the only member of `group`: reads `count` records, commits just these, and leaves. */
  consumeGroup?(wish: GroupWish): Promise<{ partition: number; offset: number }[]>
  createTopic?(wish: TopicWish): Promise<void>
  growTopic?(wish: { topic: string; partitions: number }): Promise<void>
  configureTopic?(wish: { topic: string; configs: Record<string, string> }): Promise<void>
  /** All configs of a topic that the library shows. */
  describeTopic?(wish: { topic: string }): Promise<Record<string, string>>
  /** As Metadata tells that may make the topic; 0 where it is not there. */
  partitions?(wish: { topic: string }): Promise<number>
  deleteTopic?(wish: { topic: string }): Promise<void>
}

export type Verb = keyof Verbs

export interface MemberWish {
  readonly address: string
  readonly topic: string
  readonly group: string
  readonly name: string
  readonly instance: string | null
}

/** The library cannot do what was asked, by design. */
export class Lacks extends Error {}

/**
 * A driver's main: `ADDRESS` answers requests `{ id, verb, args }`, one a line; `ADDRESS TOPIC GROUP NAME [INSTANCE]` is a member
 * of a group, which tells `{ assigned }` and `{ partition, offset }` until a line comes. `member` starts it
 * and resolves to what makes it leave.
 */
export function serve(
  verbsOf: (address: string) => Verbs,
  member: (wish: MemberWish) => Promise<() => Promise<void>>,
): void {
  const [address, topic, group, name, instance] = process.argv.slice(2)
  const lines = createInterface({ input: process.stdin })
  if (topic !== undefined) {
    const wish = {
      address: address!,
      topic,
      group: group!,
      name: name!,
      instance: instance ?? null,
    }
    const started = member(wish)
    lines.once('line', () => void started.then(leave => leave()).then(() => process.exit(0), fail))
    started.catch(fail)
    return
  }
  const verbs = verbsOf(address!)
  let last: Promise<void> = Promise.resolve()
  lines.on('line', line => {
    last = last.then(() => answer(verbs, line))
  })
  lines.once('close', () => process.exit(0))
}

async function answer(verbs: Verbs, line: string): Promise<void> {
  const request = JSON.parse(line) as { id: number; verb: Verb; args: never }
  try {
    const act = verbs[request.verb]?.bind(verbs)
    if (act === undefined) throw new Lacks(`no ${request.verb}`)
    say({ id: request.id, result: (await act(request.args)) ?? null })
  } catch (error) {
    if (error instanceof Lacks) say({ id: request.id, lacks: error.message })
    else say({ id: request.id, error: String(error).slice(0, 2000) })
  }
}

export function say(what: unknown): void {
  console.log(JSON.stringify(what))
}

function fail(error: unknown): void {
  console.error(error)
  process.exit(1)
}

/** A member's session: short, so that a crash is noticed; a static member has to be started again within it. */
export function sessionMs({ instance }: MemberWish): number {
  return instance === null ? 3000 : 30_000
}

/** The numbers of a flow's records. */
export async function* numbers({ everyMs, until }: FlowWish): AsyncIterableIterator<number> {
  for (let at = 0; !existsSync(until); at++) {
    yield at
    await sleep(everyMs)
  }
}

export async function sleep(ms: number): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, ms))
}
