import { topicNameClass } from '../../lib/topic-name.ts'
import type { Uuid } from '../../lib/uuid.ts'

/** Which log: a partition of a topic, by the topic's id; the name is for humans and messages. */
export interface LogId {
  readonly topicId: Uuid
  readonly topic: string
  readonly partition: number
}

/** Leaves room for `-PARTITION.TOPICID.deleted` within the 255 bytes of a file name. */
const topicBytesMax = 180

/** The name of the log's directory (FORMAT.md). The topic name is ASCII: Kafka allows nothing else. */
export function logDirectoryName({ topicId, topic, partition }: LogId): string {
  return `${topic.slice(0, topicBytesMax)}-${partition}.${topicId}`
}

const directoryName = new RegExp(`^${topicNameClass}+-\\d+\\.[\\w-]{22}$`)

/** Whether a name in the data directory is that of a log in service. */
export function isLogDirectoryName(name: string): boolean {
  return directoryName.test(name)
}

/** Of the log whose directory has that name. */
export function topicIdOf(name: string): Uuid {
  return name.slice(name.lastIndexOf('.') + 1)
}

export function logIdText({ topic, partition }: LogId): string {
  return `${topic}-${partition}`
}

/** The key by which a directory knows its logs: names may repeat, ids do not. */
export function logKey({ topicId, partition }: LogId): string {
  return `${topicId}-${partition}`
}

/** The body of `partition.json`, believed only after this. */
export function readLogId(body: unknown): LogId | null {
  const { topicId, topic, partition } = (body ?? {}) as Partial<LogId>
  const isWhole =
    typeof topicId === 'string' &&
    /^[\w-]{22}$/.test(topicId) &&
    typeof topic === 'string' &&
    typeof partition === 'number' &&
    Number.isSafeInteger(partition) &&
    partition >= 0
  return isWhole ? { topicId, topic, partition } : null
}
