import { describe, expect, test } from 'vitest'
import type { DescribedConfig } from '../brokers/brokers.ts'
import type { LogTopic, LogTopicSpec, LogTopicStatus } from '../crd/topic.ts'
import { isSameStatus, nothingDone, statusAfter } from './topic-status.ts'
import { judge, type Verdict } from './verdict.ts'
import { topicFinalizer, type ClusterSight, type SeenTopic } from './world.ts'

interface Given {
  readonly name?: string
  readonly createdAt?: string
  readonly isGoing?: boolean
  readonly finalizers?: readonly string[]
  readonly spec?: Partial<LogTopicSpec>
  readonly status?: Partial<LogTopicStatus>
}

function logTopic({
  name = 'words',
  createdAt = '2026-01-01T00:00:00Z',
  ...given
}: Given = {}): LogTopic {
  return {
    apiVersion: 'logcluster.dev/v1beta1',
    kind: 'LogTopic',
    metadata: {
      namespace: 'streaming',
      name,
      uid: `uid of ${name}`,
      resourceVersion: '7',
      generation: 2,
      creationTimestamp: createdAt,
      ...(given.isGoing === true ? { deletionTimestamp: '2026-01-02T00:00:00Z' } : {}),
      ...(given.finalizers === undefined ? {} : { finalizers: given.finalizers }),
    },
    spec: { clusterRef: { name: 'orders' }, config: {}, deletionPolicy: 'Retain', ...given.spec },
    status: { ...given.status },
  }
}

const ofTopic = (value: string): DescribedConfig => ({ value, source: 'topic', isReadOnly: false })
const byDefault = (value: string): DescribedConfig => ({ ...ofTopic(value), source: 'default' })

function seenTopic(more: Partial<SeenTopic> = {}): SeenTopic {
  return {
    name: 'words',
    topicId: 'id',
    isInternal: false,
    partitionCount: 3,
    replicationFactor: 1,
    leaderlessCount: 0,
    configs: new Map([['retention.ms', byDefault('604800000')]]),
    ...more,
  }
}

const seeing = (topic: SeenTopic | null, name = 'words'): ClusterSight => ({
  kind: 'seen',
  clusterId: 'cluster',
  topics: new Map([[name, topic]]),
  room: null,
})
const silent = (isNamespaceGoing = false): ClusterSight => ({
  kind: 'silent',
  message: 'Nobody answers.',
  isNamespaceGoing,
})
const one = (topic: LogTopic, sight: ClusterSight): Verdict => judge([topic], sight)[0]!
const known = { clusterId: 'cluster', topicId: 'id', observedGeneration: 2 }

describe('a topic that is wanted', () => {
  test('is made where there is none, with what the cluster has for what is left out', () => {
    const wish = { name: 'words', partitionCount: -1, replicationFactor: -1, configs: {} }
    expect(one(logTopic(), seeing(null)).act).toEqual({ do: 'create', wish })
    const spec = { partitions: 6, replicationFactor: 1, config: { 'retention.ms': 5, a: true } }
    expect(one(logTopic({ spec }), seeing(null)).act).toMatchObject({
      wish: {
        partitionCount: 6,
        replicationFactor: 1,
        configs: { 'retention.ms': '5', a: 'true' },
      },
    })
  })

  test('goes by spec.topicName', () => {
    const topic = logTopic({ name: 'x', spec: { topicName: 'Some.Words' } })
    const { act } = one(topic, seeing(null, 'Some.Words'))
    expect(act).toMatchObject({ wish: { name: 'Some.Words' } })
  })

  test('is not made anew where it was and is no more', () => {
    const { act, problem } = one(logTopic({ status: known }), seeing(null))
    expect([act.do, problem?.reason]).toEqual(['nothing', 'TopicMissing'])
  })

  test('is made anew in another cluster that began under the name of the one that it was in', () => {
    const topic = logTopic({ status: { ...known, clusterId: 'earlier' } })
    const verdict = one(topic, seeing(null))
    expect(verdict.act.do).toBe('create')
    const status = statusAfter(verdict, { createdId: 'new', refusals: {} }, 0)
    expect(status).toMatchObject({ clusterId: 'cluster', topicId: 'new' })
    expect(one(topic, seeing(seenTopic({ topicId: 'other' }))).act.do).toBe('adopt')
  })

  test('is adopted where it was there before, and brought in line', () => {
    const spec = { partitions: 5, config: { 'retention.ms': 5 } }
    const { act, problem } = one(logTopic({ spec }), seeing(seenTopic()))
    const change = { partitionCount: 5, configs: { 'retention.ms': '5' } }
    expect([act, problem]).toEqual([{ do: 'adopt', change }, null])
  })

  test('is left alone where another topic has its name', () => {
    const verdict = one(logTopic({ status: known }), seeing(seenTopic({ topicId: 'other' })))
    expect(verdict.act.do).toBe('nothing')
    expect(verdict.problem?.reason).toBe('Conflict')
    expect(verdict.problem?.message).toContain('other')
  })

  test('is never one of the brokers’ own', () => {
    const { act, problem } = one(logTopic(), seeing(seenTopic({ isInternal: true })))
    expect([act.do, problem?.reason]).toEqual(['nothing', 'Conflict'])
  })

  test('gets more partitions and never fewer', () => {
    const grow = one(logTopic({ spec: { partitions: 4 }, status: known }), seeing(seenTopic()))
    expect(grow.act).toEqual({ do: 'change', change: { partitionCount: 4, configs: {} } })
    const shrink = one(logTopic({ spec: { partitions: 2 }, status: known }), seeing(seenTopic()))
    expect(shrink.act).toEqual({ do: 'change', change: { partitionCount: null, configs: {} } })
    expect(shrink.problem?.reason).toBe('PartitionsOnlyGrow')
    // To leave it out is refused by the rule of the field.
    expect(shrink.problem?.message).toMatch(/Set spec\.partitions to 3\.$/)
    expect(shrink.problem?.message).toContain('Set spec.partitions to 3')
  })

  test('is as it is wanted where brokers tell a config in the form that they give it', () => {
    const config = {
      'cleanup.policy': 'compact, delete',
      'min.cleanable.dirty.ratio': 1,
      preallocate: 'TRUE',
      'delete.retention.ms': ' 86400000',
      'retention.ms': '+5',
      'no.such': 'X',
    }
    const told = {
      'cleanup.policy': 'compact,delete',
      'min.cleanable.dirty.ratio': '1.0',
      preallocate: 'true',
      'delete.retention.ms': '86400000',
      'retention.ms': '5',
      'no.such': 'x',
    }
    const configs = new Map(Object.entries(told).map(([key, value]) => [key, ofTopic(value)]))
    const topic = logTopic({ spec: { config }, status: { topicId: 'id' } })
    expect(one(topic, seeing(seenTopic({ configs }))).act).toEqual({
      do: 'change',
      change: { partitionCount: null, configs: { 'no.such': 'X' } },
    })
  })

  test('gets the configs of the spec, loses those that stood there, keeps those of others', () => {
    const configs = new Map([
      ['retention.ms', ofTopic('1')],
      ['segment.bytes', ofTopic('2')],
      ['cleanup.policy', ofTopic('compact')],
      ['min.insync.replicas', byDefault('1')],
    ])
    const topic = logTopic({
      spec: {
        config: { 'retention.ms': 9, 'cleanup.policy': 'compact', 'min.insync.replicas': 1 },
      },
      status: { ...known, appliedConfig: { 'segment.bytes': '2', 'index.interval.bytes': '3' } },
    })
    expect(one(topic, seeing(seenTopic({ configs }))).act).toMatchObject({
      change: {
        configs: { 'retention.ms': '9', 'min.insync.replicas': '1', 'segment.bytes': null },
      },
    })
  })

  test('with a value that is none is not made, and says so', () => {
    const topic = logTopic({ spec: { config: { 'retention.ms': 2 ** 60 } } })
    const { act, problem } = one(topic, seeing(null))
    expect([act.do, problem?.reason, problem?.isOfConfig]).toEqual([
      'nothing',
      'ConfigRefused',
      true,
    ])
  })

  test('is told when its cluster is not there, and stays as it was said while that is silent or paused', () => {
    expect(one(logTopic(), { kind: 'absent' }).problem?.reason).toBe('ClusterNotFound')
    expect(one(logTopic(), { kind: 'going' }).problem?.status).toBe('Unknown')
    expect(one(logTopic(), { kind: 'paused' }).keepsStatus).toBe(true)
    expect(one(logTopic({ status: known }), silent()).keepsStatus).toBe(true)
    expect(one(logTopic(), silent()).problem).toMatchObject({
      reason: 'ClusterUnreachable',
      status: 'False',
    })
    const changed = logTopic({ status: { ...known, observedGeneration: 1 } })
    expect(one(changed, silent()).problem?.status).toBe('Unknown')
  })
})

describe('of two LogTopics for one topic', () => {
  const older = logTopic({ name: 'a', spec: { topicName: 'words' } })
  const younger = logTopic({
    name: 'b',
    spec: { topicName: 'words', deletionPolicy: 'Delete' },
    createdAt: '2026-02-01T00:00:00Z',
    finalizers: [topicFinalizer],
  })

  test('the first wins, and the other touches nothing, not even when it goes', () => {
    const [first, second] = judge([younger, older], seeing(null)).toReversed()
    expect(first!.act.do).toBe('create')
    expect(second!.problem?.message).toContain('LogTopic a was there before')
    expect([second!.act.do, second!.finalizer]).toEqual(['nothing', 'release'])
  })

  test('who has the topic keeps it', () => {
    const owner = { ...younger, status: known }
    const [first, second] = judge([older, owner], seeing(seenTopic()))
    expect([first!.problem?.reason, second!.problem]).toEqual(['Conflict', null])
  })
})

describe('a LogTopic that goes', () => {
  const going = (more: Given = {}): LogTopic =>
    logTopic({
      isGoing: true,
      finalizers: [topicFinalizer],
      status: known,
      ...more,
      spec: { deletionPolicy: 'Delete', ...more.spec },
    })

  test('takes its topic with it where that is wanted, by its id', () => {
    const { act, finalizer } = one(going(), seeing(seenTopic()))
    expect([act, finalizer]).toEqual([{ do: 'delete', topicId: 'id' }, 'release'])
  })

  test('leaves its topic by default', () => {
    const { act, finalizer } = one(
      going({ spec: { deletionPolicy: 'Retain' } }),
      seeing(seenTopic()),
    )
    expect([act.do, finalizer]).toEqual(['nothing', 'release'])
  })

  test('leaves a topic that is not the one that it had', () => {
    for (const verdict of [
      one(going(), seeing(seenTopic({ topicId: 'other' }))),
      one(going({ status: {} }), seeing(seenTopic())),
      one(going({ status: { ...known, clusterId: 'earlier' } }), seeing(seenTopic())),
      one(going(), seeing(null)),
    ]) {
      expect([verdict.act.do, verdict.finalizer]).toEqual(['nothing', 'release'])
    }
  })

  test('waits for a cluster that is silent, unless that is not coming back', () => {
    expect(one(going(), silent()).finalizer).toBe('as it is')
    expect(one(going(), silent(true)).finalizer).toBe('release')
    expect(one(going(), { kind: 'absent' }).finalizer).toBe('release')
    expect(one(going(), { kind: 'going' }).finalizer).toBe('release')
    expect(one(going(), { kind: 'paused' }).finalizer).toBe('as it is')
  })

  test.each([
    ['paused', { kind: 'paused' }, 'until its spec.reconciliation is Active again'],
    ['silent', silent(), 'until one of its brokers answers'],
  ] as const)('says what it waits for where the cluster is %s', (_, sight, until) => {
    const { problem, keepsStatus } = one(going(), sight)
    expect(keepsStatus).toBe(false)
    expect(problem).toMatchObject({ reason: 'DeletionWaiting', status: 'False' })
    expect(problem!.message).toContain(`waits for LogCluster orders, ${until}. To let`)
    expect(statusAfter(one(going(), sight), nothingDone, 0)).toMatchObject(known)
  })

  test('that has no finalizer of ours is none of our business', () => {
    const verdict = one(going({ finalizers: ['other'] }), seeing(seenTopic()))
    expect([verdict.act.do, verdict.finalizer]).toEqual(['nothing', 'as it is'])
  })
})

test('the finalizer follows the deletion policy', () => {
  const finalizer = (deletionPolicy: 'Retain' | 'Delete', finalizers?: string[]): string =>
    one(
      logTopic({ spec: { deletionPolicy }, status: known, ...(finalizers && { finalizers }) }),
      seeing(seenTopic()),
    ).finalizer
  expect(finalizer('Delete')).toBe('add')
  expect(finalizer('Delete', [topicFinalizer])).toBe('as it is')
  expect(finalizer('Retain', [topicFinalizer])).toBe('release')
  expect(finalizer('Retain')).toBe('as it is')
})

describe('the status of a LogTopic', () => {
  const nowMs = Date.UTC(2026, 5, 1)
  const readyOf = ({ conditions }: LogTopicStatus) => conditions?.find(it => it.type === 'Ready')

  test('records what was made', () => {
    const spec = { partitions: 4, config: { 'retention.ms': 5 } }
    const verdict = one(logTopic({ spec }), seeing(null))
    const status = statusAfter(verdict, { createdId: 'new', refusals: {} }, nowMs)
    expect(status).toMatchObject({
      observedGeneration: 2,
      topicName: 'words',
      topicId: 'new',
      partitions: 4,
      appliedConfig: { 'retention.ms': '5' },
    })
    expect(readyOf(status)).toMatchObject({
      status: 'True',
      lastTransitionTime: '2026-06-01T00:00:00Z',
    })
  })

  test('of a topic as it is wanted is the same again', () => {
    const before = statusAfter(one(logTopic(), seeing(seenTopic())), nothingDone, nowMs)
    const again = statusAfter(
      one(logTopic({ status: before }), seeing(seenTopic())),
      nothingDone,
      nowMs + 1e6,
    )
    expect(isSameStatus(before, again)).toBe(true)
    expect(isSameStatus(before, { ...again, partitions: 4 })).toBe(false)
  })

  test('tells what the brokers refused, and forgets no config that may have been set', () => {
    const topic = logTopic({
      spec: { config: { 'no.such': 'x' } },
      status: { ...known, appliedConfig: { 'retention.ms': '5' } },
    })
    const refusal = { error: 'INVALID_CONFIG', message: 'no.such is unknown.' } as const
    const verdict = one(topic, seeing(seenTopic()))
    const status = statusAfter(verdict, { createdId: null, refusals: { configs: refusal } }, nowMs)
    expect(status.appliedConfig).toEqual({ 'retention.ms': '5', 'no.such': 'x' })
    expect(status.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'ConfigRefused' },
      { type: 'ConfigApplied', status: 'False', reason: 'ConfigRefused' },
    ])
    const made = statusAfter(
      one(logTopic(), seeing(null)),
      { createdId: null, refusals: { create: refusal } },
      nowMs,
    )
    expect(made.topicId).toBeUndefined()
    expect(readyOf(made)?.message).toContain('no.such is unknown.')
  })

  test('records the id of what was adopted, and no other after that', () => {
    const adopted = statusAfter(one(logTopic(), seeing(seenTopic())), nothingDone, nowMs)
    expect(adopted.topicId).toBe('id')
    const verdict = one(logTopic({ status: adopted }), seeing(seenTopic({ topicId: 'other' })))
    expect(statusAfter(verdict, nothingDone, nowMs).topicId).toBe('id')
  })
})
