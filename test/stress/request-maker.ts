import type { Prng } from '../../src/lib/prng.ts'
import { uuidText } from '../../src/lib/uuid.ts'
import type { Api, Field, Fields } from '../../src/broker/wire/field.ts'
import type { Message } from '../../src/broker/wire/shape.ts'
import { someBatch } from './bad-batches.ts'

/**
 * Requests made from the tables that get past the first check more often than noise does: names, numbers and
 * members that are there. What it learns of member ids from answers it uses again.
 */
export class RequestMaker {
  readonly #random: Prng
  readonly #memberIds: string[] = ['']
  #memberAt = 0

  constructor(random: Prng) {
    this.#random = random
  }

  /** A request of `api`. `elements` is what every array has, where it is given. */
  request(api: Api, elements: number | null = null): Message {
    return this.#struct(api.request, elements)
  }

  learnMemberId(id: string): void {
    if (this.#memberIds.length < 50) this.#memberIds.push(id)
    else this.#memberIds[this.#memberAt++ % 50] = id
  }

  /** `within`: the name of the list that it is in, with a dot. */
  #struct(fields: Fields, elements: number | null, within = ''): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => {
        const known = within + name in texts ? within + name : name
        return [name, this.#value(known, field, elements)]
      }),
    )
  }

  #value(name: string, field: Field<any, any, boolean>, elements: number | null): unknown {
    const { kind, traits } = field
    const random = this.#random
    if (traits.tagId !== null && elements === null && random.chance(1, 2)) return field.fallback
    switch (kind.type) {
      case 'array': {
        const count = elements ?? random.below(3)
        return Array.from({ length: count }, () => this.#value(name, kind.of, elements))
      }
      case 'struct':
        return this.#struct(kind.fields, elements, `${name}.`)
      case 'string':
        return this.#text(name, field)
      case 'bytes':
        return random.bytes(random.below(20))
      case 'records':
        return someBatch(random)
      case 'bool':
        return random.chance(1, 2)
      case 'uuid':
        return uuidText(random.bytes(16))
      case 'float64':
        return random.below(100)
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'int64':
      case 'exactInt64':
        return this.#number(name, kind.type)
    }
  }

  #text(name: string, field: Field<any, any, boolean>): string | null {
    const random = this.#random
    if (field.fallback === null && random.chance(3, 4)) return null
    if (name === 'memberId') return random.pick(this.#memberIds)
    return random.pick(texts[name] ?? names)
  }

  #number(name: string, type: string): number {
    const random = this.#random
    const likely = numbers[name]
    if (likely !== undefined && random.chance(9, 10)) return random.pick(likely)
    return random.below(4) - (type === 'uint16' ? 0 : 1)
  }
}

/** Topics that the fuzz works on; all of them may come and go. */
export const fuzzTopics = ['one', 'two', 'three', 'compacted'] as const
const names = [...fuzzTopics, 'one', 'two', 'a/b', '', 'retention.ms', '1000', 'é√\u{1f600}']

/** Nothing that changes, set for all topics by the broker's name for it, what the neighbour may do. */
const configNames = [
  'retention.ms',
  'cleanup.policy',
  'max.message.bytes',
  'message.timestamp.type',
  'segment.bytes',
  'compression.type',
  'flush.policy',
  'log.retention.ms',
  'max.connections',
  'message.max.bytes',
  'producer.id.count.max',
  'none.such',
]
const configValues = ['1000', '-1', 'compact', 'delete', '1048576', 'x', 'lz4', 'LogAppendTime']

const texts: Readonly<Record<string, readonly string[]>> = {
  groupId: ['fuzz-1', 'fuzz-2', 'fuzz-3', ''],
  groups: ['fuzz-1', 'fuzz-2', 'fuzz-3', ''],
  key: ['fuzz-1', 'fuzz-2'],
  coordinatorKeys: ['fuzz-1', 'fuzz-2', ''],
  groupInstanceId: ['static-1', 'static-2'],
  protocolType: ['consumer', 'consumer', 'connect', ''],
  protocolName: ['range', 'roundrobin'],
  configurationKeys: ['retention.ms', 'cleanup.policy', 'none.such'],
  'configs.name': configNames,
  'configs.value': configValues,
  resourceName: ['one', 'two', '1', '', 'fuzz-1'],
}

const numbers: Readonly<Record<string, readonly number[]>> = {
  acks: [-1, 1, 1, 0],
  timeoutMs: [0, 10, 1000],
  maxWaitMs: [0, 0, 0, 5],
  minBytes: [0, 0, 1],
  maxBytes: [1 << 20, 1 << 20, 0, 1],
  partitionMaxBytes: [1 << 20, 0, 1],
  replicaId: [-1, -1, -1, 1],
  sessionTimeoutMs: [6000, 10_000, 1],
  rebalanceTimeoutMs: [0, 50, 1000],
  numPartitions: [1, 2, -1],
  replicationFactor: [1, 1, -1],
  count: [1, 2, 3],
  resourceType: [2, 2, 4, 32],
  fetchOffset: [0, 1, 5],
  generationId: [0, 1, 2, -1],
  partition: [0, 0, 0, 1],
  index: [0, 0, 0, 1],
  partitionIndex: [0, 0, 1],
  sessionId: [0],
  sessionEpoch: [-1, -1, 0],
  committedOffset: [0, 1, 100],
}
