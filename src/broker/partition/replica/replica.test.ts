import { describe, expect, test } from 'vitest'
import { Replica, type PartitionRole } from './replica.ts'

const alone: PartitionRole = {
  leader: 1,
  leaderEpoch: 0,
  partitionEpoch: 0,
  replicas: [1],
  isr: [1],
  isRecovering: false,
  minInsyncReplicas: 1,
  brokers: new Map(),
}

function leader(role: Partial<PartitionRole> = {}): Replica {
  const replica = new Replica(1)
  replica.step({ type: 'role', role: { ...alone, ...role }, nowMs: 0 })
  return replica
}

describe('a replica that leads alone', () => {
  test('notes its epoch when it begins to lead', () => {
    expect(new Replica(1).step({ type: 'role', role: alone, nowMs: 0 })).toEqual([
      { type: 'lead', leaderEpoch: 0 },
    ])
  })

  test('commits what its own log holds, and tells those who wait, in order', () => {
    const replica = leader()
    expect(replica.step({ type: 'await', id: 7, offset: 3 })).toEqual([])
    expect(replica.step({ type: 'await', id: 8, offset: 5 })).toEqual([])
    expect(replica.step({ type: 'written', endOffset: 3 })).toEqual([
      { type: 'watermark', highWatermark: 3 },
      { type: 'committed', id: 7 },
    ])
    expect(replica.step({ type: 'written', endOffset: 9 })).toEqual([
      { type: 'watermark', highWatermark: 9 },
      { type: 'committed', id: 8 },
    ])
    expect(replica.step({ type: 'await', id: 9, offset: 9 })).toEqual([
      { type: 'committed', id: 9 },
    ])
  })

  test('forgets who does not wait any longer', () => {
    const replica = leader()
    replica.step({ type: 'await', id: 1, offset: 1 })
    replica.step({ type: 'forget', id: 1 })
    expect(replica.step({ type: 'written', endOffset: 1 })).toEqual([
      { type: 'watermark', highWatermark: 1 },
    ])
  })
})

describe('a replica under min.insync.replicas', () => {
  test('needs no more copies than there are replicas', () => {
    expect(leader({ minInsyncReplicas: 2 }).hasEnoughInsync).toBe(true)
  })

  test('keeps the watermark and refuses to wait while the in-sync set is too small', () => {
    const replica = leader({ replicas: [1, 2], minInsyncReplicas: 2 })
    expect(replica.hasEnoughInsync).toBe(false)
    expect(replica.step({ type: 'written', endOffset: 4 })).toEqual([])
    expect(replica.step({ type: 'await', id: 1, offset: 4 })).toEqual([
      { type: 'refused', id: 1, error: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' },
    ])
    expect(replica.highWatermark).toBe(0)
  })
})

describe('a replica that loses its lead', () => {
  test('refuses those who wait', () => {
    const replica = leader()
    replica.step({ type: 'await', id: 4, offset: 1 })
    const role = { ...alone, leader: 2, leaderEpoch: 1, partitionEpoch: 1 }
    expect(replica.step({ type: 'role', role, nowMs: 0 })).toEqual([
      { type: 'follow', leader: 2, leaderEpoch: 1 },
      { type: 'refused', id: 4, error: 'NOT_LEADER_OR_FOLLOWER' },
    ])
    expect(replica.step({ type: 'await', id: 5, offset: 0 })).toEqual([
      { type: 'refused', id: 5, error: 'NOT_LEADER_OR_FOLLOWER' },
    ])
  })

  test('takes another min.insync.replicas without a new partition epoch, and nothing else', () => {
    const replica = leader({ partitionEpoch: 5, replicas: [1, 2], minInsyncReplicas: 2 })
    replica.step({ type: 'written', endOffset: 3 })
    expect([replica.hasEnoughInsync, replica.highWatermark]).toEqual([false, 0])
    const changed = { ...alone, leader: 2, partitionEpoch: 5, replicas: [1, 2] }
    expect(replica.step({ type: 'role', role: changed, nowMs: 0 })).toEqual([
      { type: 'watermark', highWatermark: 3 },
    ])
    expect([replica.hasEnoughInsync, replica.isLeader]).toEqual([true, true])
  })

  test('ignores metadata that is older than what it knows', () => {
    const replica = leader({ partitionEpoch: 5 })
    expect(
      replica.step({ type: 'role', role: { ...alone, leader: 2, partitionEpoch: 4 }, nowMs: 0 }),
    ).toEqual([])
    expect(replica.isLeader).toBe(true)
  })
})
