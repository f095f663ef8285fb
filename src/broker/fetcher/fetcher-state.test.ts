import { beforeEach, describe, expect, test } from 'vitest'
import {
  answer,
  asked,
  failing,
  FetcherDrive,
  forgotten,
  told,
} from '../../../test/helpers/fetcher-drive.ts'
import { topicId } from '../../../test/helpers/fake-followed.ts'
import { errorCode } from '../wire/errors.ts'

let drive: FetcherDrive

beforeEach(() => (drive = new FetcherDrive()))

const bytes = (length: number) => new Uint8Array(length)

describe('requests', () => {
  test('R3: say broker, its epoch, the leader epoch and the last fetched epoch', () => {
    const [partition] = drive.follow(4)
    partition!.fetchPosition = { offset: 10, lastFetchedEpoch: 2 }
    partition!.extent = { startOffset: 5 }
    expect(drive.next()).toMatchObject({
      replicaState: { replicaId: 2, replicaEpoch: 77 },
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 5000,
      sessionId: 0,
      sessionEpoch: 0,
      topics: [
        {
          topicId: topicId(1),
          partitions: [
            {
              partition: 4,
              currentLeaderEpoch: 3,
              fetchOffset: 10,
              lastFetchedEpoch: 2,
              logStartOffset: 5,
              partitionMaxBytes: 1000,
            },
          ],
        },
      ],
    })
  })

  test('there is none without partitions, and one at a time', () => {
    expect(drive.state.next(0)).toBeNull()
    drive.follow(0)
    drive.next()
    expect(drive.state.next(0)).toBeNull()
  })

  test('the next says how far the log has come, and waits until all of an answer is written', () => {
    const [slow, quick] = drive.begun(0, 1)
    drive.next()
    slow!.isSlow = true
    drive.act(answer([told(0, { records: bytes(3) }), told(1, { records: bytes(5) })]))
    expect(drive.state.next(0)).toBeNull()
    slow!.finish()
    expect(asked(drive.next())).toEqual([
      [1, 5],
      [0, 3],
    ])
    expect(quick!.appended.at(-1)!.told).toEqual({
      leaderEpoch: 3,
      fetchOffset: 0,
      highWatermark: 0,
      logStartOffset: 0,
    })
  })

  test('KIP-227: idle partitions of a session are not named', () => {
    drive.begun(0, 1, 2)
    const request = drive.next()
    expect(request).toMatchObject({ sessionId: 9, sessionEpoch: 1, topics: [] })
    drive.act(answer([told(1, { records: bytes(1) })]))
    const second = drive.next()
    expect(second.sessionEpoch).toBe(2)
    expect(asked(second)).toEqual([[1, 1]])
  })

  test('a start that the leader raised is told', () => {
    drive.begun(0)
    drive.next()
    drive.act(answer([told(0, { logStartOffset: 7 })]))
    expect(drive.next().topics[0]!.partitions[0]).toMatchObject({ logStartOffset: 7 })
  })

  test('without a session each is a full one, who got records last at its end', () => {
    drive.follow(0, 1)
    drive.next()
    drive.act(answer([told(0, { records: bytes(1) }), told(1)], { sessionId: 0 }))
    const request = drive.next()
    expect(request).toMatchObject({ sessionId: 0, sessionEpoch: 0 })
    expect(asked(request)).toEqual([
      [1, 0],
      [0, 1],
    ])
  })

  test.each([
    ['FETCH_SESSION_ID_NOT_FOUND', 0],
    ['INVALID_FETCH_SESSION_EPOCH', 9],
    ['FETCH_SESSION_TOPIC_ID_ERROR', 9],
  ] as const)('after %s a full one begins a session', (error, sessionId) => {
    drive.begun(0, 1)
    drive.next()
    drive.act(answer([], { errorCode: errorCode(error) }))
    const request = drive.next()
    expect(request).toMatchObject({ sessionId, sessionEpoch: 0 })
    expect(asked(request)).toHaveLength(2)
    expect(drive.notes).toEqual([[error, null]])
  })

  test('after the connection is gone a full one ends the old session', () => {
    drive.begun(0, 1)
    drive.next()
    drive.state.disconnected()
    const request = drive.next()
    expect(request).toMatchObject({ sessionId: 9, sessionEpoch: 0 })
    expect(asked(request)).toHaveLength(2)
  })
})

describe('partitions that come and go', () => {
  test('who comes while a request waits at the leader is not kept waiting: the next overtakes it', () => {
    const [first] = drive.begun(0)
    drive.next()
    expect(drive.state.next(0)).toBeNull()
    drive.follow(1)
    const request = drive.next()
    expect(asked(request)).toEqual([[1, 0]])
    expect(request.sessionEpoch).toBe(2)
    drive.follow(2)
    expect(drive.state.next(0)).toBeNull()
    // The one that was overtaken says so, and that is no error.
    drive.act(answer([], { errorCode: errorCode('INVALID_FETCH_SESSION_EPOCH') }))
    expect(drive.notes).toEqual([])
    drive.act(answer([told(0, { records: bytes(2) }), told(1)]))
    expect(first!.fetchPosition.offset).toBe(2)
    expect(asked(drive.next())).toEqual([
      [2, 0],
      [0, 2],
    ])
  })

  test('R3: an answer to where a partition does not stand any more is not appended', () => {
    const [first] = drive.begun(0)
    drive.next()
    drive.follow(1)
    drive.next()
    // The first was answered after all, before the leader heard of the second: it finds the same records again.
    drive.act(answer([told(0, { records: bytes(2) })]))
    drive.act(answer([told(0, { records: bytes(2) }), told(1)]))
    expect(first!.appended.filter(({ records }) => records.length > 0)).toHaveLength(1)
    expect(asked(drive.next())).toEqual([[0, 2]])
  })

  test('one whose log moved after it was asked for is asked for anew, from where it stands', () => {
    const [partition] = drive.begun(0)
    drive.next()
    // What an earlier leader sent is written now, or cut.
    partition!.fetchPosition = { offset: 5, lastFetchedEpoch: 2 }
    drive.act(answer([told(0, { records: bytes(2) })]))
    expect(partition!.appended.filter(({ records }) => records.length > 0)).toEqual([])
    expect(asked(drive.next())).toEqual([[0, 5]])
  })

  test('a session that is lost while one request overtakes another begins anew when both are answered', () => {
    drive.begun(0)
    drive.next()
    drive.follow(1)
    drive.next()
    const lost = answer([], { errorCode: errorCode('FETCH_SESSION_ID_NOT_FOUND') })
    drive.act(lost)
    drive.follow(2)
    expect(drive.state.next(0)).toBeNull()
    drive.act(lost)
    const request = drive.next()
    expect(request.sessionEpoch).toBe(0)
    expect(asked(request)).toHaveLength(3)
    drive.act(answer([told(0), told(1), told(2)]))
    drive.next()
    drive.act(answer([failing(2, 'NOT_LEADER_OR_FOLLOWER')]))
    expect(forgotten(drive.next())).toEqual([2])
  })

  test('a full request is not overtaken: nobody knows its session', () => {
    drive.follow(0)
    drive.next()
    drive.follow(1)
    expect(drive.state.next(0)).toBeNull()
  })

  test('R3: an answer of another epoch is not appended, and the partition is asked for in its new one', () => {
    const [partition] = drive.begun(0)
    drive.next()
    partition!.following = { leader: 1, leaderEpoch: 4 }
    drive.state.follow(partition!)
    drive.act(answer([told(0, { records: bytes(2) })]))
    expect(partition!.fetchPosition.offset).toBe(0)
    expect(drive.next().topics[0]!.partitions[0]).toMatchObject({ currentLeaderEpoch: 4 })
  })

  test('one that leaves is forgotten, and what comes for it goes nowhere', () => {
    const [leaving] = drive.begun(0, 1)
    drive.next()
    leaving!.following = null
    drive.state.unfollow(leaving!)
    drive.act(answer([told(0, { records: bytes(2) })]))
    expect(leaving!.appended.filter(({ records }) => records.length > 0)).toEqual([])
    const request = drive.next()
    expect(forgotten(request)).toEqual([0])
    expect(asked(request)).toEqual([])
    expect(Array.from(drive.state.partitions(), ({ row }) => row.partition)).toEqual([1])
  })

  test('one that leaves and comes back before that is said is asked for, and not forgotten', () => {
    const [partition] = drive.begun(0, 1)
    drive.state.unfollow(partition!)
    partition!.following = { leader: 1, leaderEpoch: 5 }
    drive.state.follow(partition!)
    const request = drive.next()
    expect(forgotten(request)).toEqual([])
    expect(asked(request)).toEqual([[0, 0]])
  })

  test('what an append of an earlier epoch gives does not change where the partition stands', () => {
    const [partition] = drive.begun(0)
    drive.next()
    partition!.isSlow = true
    drive.act(answer([told(0, { records: bytes(2) })]))
    partition!.following = { leader: 1, leaderEpoch: 4 }
    drive.state.follow(partition!)
    expect(drive.state.next(0)).toBeNull()
    partition!.refusal = { ok: false, error: 'FENCED_LEADER_EPOCH', message: '' }
    partition!.finish()
    expect(asked(drive.next())).toEqual([[0, 0]])
    expect(drive.state.dueMs).toBe(Infinity)
  })

  test('when all have left there is no request and no session', () => {
    const [partition] = drive.begun(0)
    drive.state.unfollow(partition!)
    expect(drive.state.next(0)).toBeNull()
    drive.follow(1)
    expect(drive.next()).toMatchObject({ sessionId: 9, sessionEpoch: 0 })
  })
})
