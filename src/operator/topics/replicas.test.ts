import { describe, expect, test } from 'vitest'
import type { LogTopic } from '../crd/topic.ts'
import { nothingDone, statusAfter } from './topic-status.ts'
import { judge, type Verdict } from './verdict.ts'
import { needsRoom, type ClusterSight, type Room, type SeenTopic } from './world.ts'

const known = { clusterId: 'cluster', topicId: 'id', observedGeneration: 2 }

const topic: LogTopic = {
  apiVersion: 'logcluster.dev/v1beta1',
  kind: 'LogTopic',
  metadata: {
    namespace: 'streaming',
    name: 'words',
    uid: 'uid',
    resourceVersion: '7',
    generation: 2,
    creationTimestamp: '2026-01-01T00:00:00Z',
  },
  spec: {
    clusterRef: { name: 'orders' },
    config: {},
    deletionPolicy: 'Retain',
    replicationFactor: 3,
  },
  status: { ...known, replicationFactor: 1 },
}

const seen: SeenTopic = {
  name: 'words',
  topicId: 'id',
  isInternal: false,
  partitionCount: 2,
  replicationFactor: 1,
  leaderlessCount: 0,
  configs: new Map(),
}

const one = (of: LogTopic, sight: ClusterSight): Verdict => judge([of], sight)[0]!

describe('a topic with another number of replicas than are wanted', () => {
  const place = (index: number, replicas: readonly number[], isMoving = false) => {
    return { topic: 'words', index, replicas, isMoving }
  }
  const within = (
    partitions: Room['places']['partitions'],
    more: Partial<Room> = {},
  ): ClusterSight => ({
    kind: 'seen',
    clusterId: 'cluster',
    topics: new Map([['words', seen]]),
    room: {
      places: { racks: new Map(), partitions, movingCount: 0 },
      staying,
      heldBy: null,
      ...more,
    },
  })
  const staying = [0, 1, 2]

  test('is given them, and says how far that is', () => {
    const verdict = one(topic, within([place(0, [0]), place(1, [0])]))
    expect(verdict.act).toMatchObject({
      do: 'change',
      change: {
        moves: [
          { topic: 'words', index: 0, replicas: [1, 0, 2] },
          { topic: 'words', index: 1, replicas: [0, 1, 2] },
        ],
      },
    })
    const status = statusAfter(verdict, nothingDone, 0)
    expect(status.replicationFactor).toBe(1)
    expect(status.conditions).toMatchObject([
      {
        type: 'Ready',
        status: 'False',
        reason: 'ReplicasChanging',
        message: 'Partitions that have 3 replicas: 0 of 2; on their way: 0.',
      },
      { type: 'ConfigApplied', status: 'True' },
    ])
  })

  test.each([
    ['PartitionsOnlyGrow', { partitions: 1 }],
    ['ConfigRefused', { config: { 'retention.ms': 2 ** 60 } }],
  ])(
    'goes on at the same pace, and is told as late, whatever else is wrong: %s',
    (reason, more) => {
      const wrong: LogTopic = { ...topic, spec: { ...topic.spec, ...more } }
      const first = one(wrong, within([place(0, [0]), place(1, [0])]))
      expect(first.problem?.reason).toBe(reason)
      expect(first.isChangingReplicas).toBe(true)
      const half = one(wrong, within([place(0, [1, 0, 2]), place(1, [0, 1, 2], true)]))
      const arriving = { ...half, seen: { ...seen, replicationFactor: 3 } }
      expect(arriving.isChangingReplicas).toBe(true)
      expect(statusAfter(arriving, nothingDone, 0).replicationFactor).toBe(1)
      const whole = one(wrong, within([place(0, [1, 0, 2]), place(1, [0, 1, 2])]))
      expect(whole.isChangingReplicas).toBe(false)
      const arrived = { ...whole, seen: { ...seen, replicationFactor: 3 } }
      expect(statusAfter(arrived, nothingDone, 0).replicationFactor).toBe(3)
    },
  )

  test('asks nothing more of what is on its way, and is as wanted when all have arrived', () => {
    const half = one(topic, within([place(0, [1, 0, 2]), place(1, [0, 1, 2], true)]))
    expect(half.act).toEqual({ do: 'change', change: { partitionCount: null, configs: {} } })
    expect(half.problem?.message).toBe('Partitions that have 3 replicas: 1 of 2; on their way: 1.')
    const whole = one(topic, within([place(0, [1, 0, 2]), place(1, [0, 1, 2])]))
    expect(whole.problem).toBeNull()
    const arrived = { ...whole, seen: { ...seen, replicationFactor: 3 } }
    expect(statusAfter(arrived, nothingDone, 0).replicationFactor).toBe(3)
  })

  test('waits where there are too few brokers, and says what to do', () => {
    const { act, problem } = one(topic, within([place(0, [0]), place(1, [0])], { staying: [0, 1] }))
    expect(act).toEqual({ do: 'change', change: { partitionCount: null, configs: {} } })
    expect(problem).toMatchObject({ reason: 'TooFewBrokers', status: 'False' })
    expect(problem?.message).toContain('set it to 2 at most')
  })

  test('waits where the cluster is not to be rebalanced', () => {
    const heldBy = 'spec.rebalance.state of the LogCluster is Paused'
    const { act, problem } = one(topic, within([place(0, [0]), place(1, [0])], { heldBy }))
    expect(act).toEqual({ do: 'change', change: { partitionCount: null, configs: {} } })
    expect(problem?.message).toContain(heldBy)
  })

  test('says what the brokers say where they refuse it', () => {
    const verdict = one(topic, within([place(0, [0]), place(1, [0])]))
    const refusal = { error: 'INVALID_REPLICA_ASSIGNMENT', message: 'No.' } as const
    const status = statusAfter(verdict, { createdId: null, refusals: { replicas: refusal } }, 0)
    expect(status.conditions?.[0]).toMatchObject({ reason: 'ReplicasRefused' })
  })

  test('is looked at only then, and until it has been reached', () => {
    const reached = { ...topic, status: { ...known, replicationFactor: 3 } }
    expect(needsRoom(topic, seen)).toBe(true)
    expect(needsRoom(topic, { ...seen, replicationFactor: 3 })).toBe(true)
    expect(needsRoom(reached, { ...seen, replicationFactor: 3 })).toBe(false)
    expect(needsRoom(reached, { ...seen, replicationFactor: 3, isUneven: true })).toBe(true)
    const { replicationFactor: _, ...others } = topic.spec
    expect(needsRoom({ ...topic, spec: others }, seen)).toBe(false)
  })
})
