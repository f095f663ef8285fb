import { concat } from '../../src/lib/bytes.ts'
import type { Api, Field, Fields } from '../../src/broker/wire/field.ts'
import { requestFrame } from '../../src/broker/wire/frame.ts'
import { createTopics } from '../../src/broker/wire/messages/index.ts'
import { RawClient } from '../helpers/raw-client.ts'
import type { Campaign } from './campaign.ts'
import { outcomeOf } from './outcome.ts'

/** How texts and lists are made to cost as much as they can. */
interface Bomb {
  readonly text: string
  /** Of the outer lists; those within have one element. */
  readonly elements: number
}

const bombs: readonly Bomb[] = [
  // What a backtracking matcher never ends with, as a pattern and as what is matched.
  { text: '(a+)+$'.repeat(5000), elements: 20 },
  { text: `${'a'.repeat(30_000)}!`, elements: 20 },
  { text: `${'a,'.repeat(15_000)}!`, elements: 20 },
  // Many that are like something known, and the same many times.
  { text: 'retention.msx', elements: 10_000 },
]

/**
 * "Regex bombs": no request that we serve has a pattern that a broker evaluates (ConsumerGroupHeartbeat's
 * `subscribedTopicRegex` is of an API that is not there, KRaft's filters too). So every text of every API gets
 * such a pattern, what it would be matched with, and what costs other than regular expressions: each request is
 * answered or its connection closed. The slowest is told; no clock judges.
 */
export async function textBombs({ broker, served }: Campaign): Promise<{
  readonly textBombs: number
  readonly slowestTextBomb: string
}> {
  const newest = new Map<Api, number>()
  for (const { api, version } of served) newest.set(api, version)
  const requests = [...newest].flatMap(([api, version]) => {
    return bombs.map(bomb => ({ api, version, value: struct(api.request, bomb, true) }))
  })
  requests.push(...bombs.map(bomb => wishes(bomb)))
  let slowest = { text: '', ms: -1 }
  for (const { api, version, value } of requests) {
    using client = await RawClient.connect(broker.port, { timeoutMs: 60_000 })
    const header = { correlationId: 1, clientId: 'a'.repeat(30_000) }
    const frame = concat(requestFrame(api, version, header, value as never) as Uint8Array[])
    const began = performance.now()
    const outcome = await outcomeOf(client, frame)
    const ms = Math.round(performance.now() - began)
    if (ms <= slowest.ms) continue
    slowest = { text: `${api.name} v${version}, ${frame.length} bytes: ${outcome}`, ms }
  }
  return {
    textBombs: requests.length,
    slowestTextBomb: `${slowest.text} after ${slowest.ms} ms`,
  }
}

/** Topics that could be, with a config that is looked for among all that there are. */
function wishes({ text, elements }: Bomb): {
  api: Api
  version: number
  value: Record<string, unknown>
} {
  const topics = Array.from({ length: elements }, (_, at) => ({
    name: `bomb-${at}`,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: [{ name: text, value: '1' }],
  }))
  const value = { topics, timeoutMs: 1000, validateOnly: false }
  return { api: createTopics as unknown as Api, version: 7, value }
}

function struct(fields: Fields, bomb: Bomb, isOuter: boolean): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, valueOf(name, field, { bomb, isOuter })]),
  )
}

function valueOf(
  name: string,
  { kind, fallback }: Field<any, any, boolean>,
  { bomb, isOuter }: { readonly bomb: Bomb; readonly isOuter: boolean },
): unknown {
  switch (kind.type) {
    case 'array': {
      const one = valueOf(name, kind.of, { bomb, isOuter: false })
      return Array.from({ length: isOuter ? bomb.elements : 1 }, () => one)
    }
    case 'struct':
      return struct(kind.fields, bomb, isOuter)
    case 'string':
      return bomb.text
    case 'bytes':
    case 'records':
      return new Uint8Array(0)
    case 'bool':
      return false
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA'
    case 'int8':
      // A topic, where it says of what kind something is.
      return name === 'resourceType' ? 2 : 0
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'int64':
    case 'exactInt64':
    case 'float64':
      return typeof fallback === 'number' ? fallback : 1
  }
}
