import { beforeEach, describe, expect, test } from 'vitest'
import {
  answer,
  asked,
  failing,
  FetcherDrive,
  forgotten,
  told,
} from '../../../test/helpers/fetcher-drive.ts'
import { errorCode } from '../wire/errors.ts'

let drive: FetcherDrive

beforeEach(() => (drive = new FetcherDrive()))

const bytes = (length: number) => new Uint8Array(length)

describe('errors', () => {
  test.each([
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
    'NOT_LEADER_OR_FOLLOWER',
    'UNKNOWN_TOPIC_ID',
    'KAFKA_STORAGE_ERROR',
  ] as const)('%s: the partition waits, longer each time, and the others go on', error => {
    drive.begun(0, 1)
    drive.next()
    drive.act(answer([failing(0, error)]))
    expect(drive.notes).toEqual([[error, 0]])
    let request = drive.next()
    expect(forgotten(request)).toEqual([0])
    expect(drive.state.dueMs).toBeCloseTo(50, 0)
    // The wait at the leader is not the partition's.
    request = drive.next(51)
    expect(asked(request)).toEqual([[0, 0]])
    drive.act(answer([], { errorCode: errorCode('INVALID_FETCH_SESSION_EPOCH') }), 51)
    drive.act(answer([failing(0, error)]), 51)
    expect(drive.state.dueMs).toBeCloseTo(151, 0)
  })

  test('the pause grows to replica.fetch.backoff.ms, and is short again after a success', () => {
    const [partition] = drive.begun(0)
    let nowMs = 0
    const pauses: number[] = []
    for (let count = 0; count < 6; count++) {
      drive.next(nowMs)
      drive.act(answer([failing(0, 'NOT_LEADER_OR_FOLLOWER')]), nowMs)
      pauses.push(Math.round(drive.state.dueMs - nowMs))
      expect(drive.state.next(nowMs)).toBeNull()
      nowMs = drive.state.dueMs
    }
    expect(pauses).toEqual([50, 100, 200, 400, 801, 801])
    drive.next(nowMs)
    drive.act(answer([told(0, { records: bytes(1) })]), nowMs)
    expect(partition!.fetchPosition.offset).toBe(1)
    drive.next(nowMs)
    drive.act(answer([failing(0, 'NOT_LEADER_OR_FOLLOWER')]), nowMs)
    expect(Math.round(drive.state.dueMs - nowMs)).toBe(50)
  })

  test('R13: what cannot be appended holds up that partition alone', () => {
    const [damaged, sound] = drive.begun(0, 1)
    drive.next()
    damaged!.refusal = { ok: false, error: 'CORRUPT_MESSAGE', message: 'the CRC' }
    drive.act(answer([told(0, { records: bytes(2) }), told(1, { records: bytes(3) })]))
    expect(sound!.fetchPosition.offset).toBe(3)
    const request = drive.next()
    expect(asked(request)).toEqual([[1, 3]])
    expect(forgotten(request)).toEqual([0])
    expect(drive.state.dueMs).toBeCloseTo(50, 0)
  })

  test('I-13: one that parts from its leader is out of the session until it is cut', () => {
    const [partition] = drive.begun(0, 1)
    partition!.fetchPosition = { offset: 8, lastFetchedEpoch: 3 }
    drive.state.disconnected()
    drive.next()
    const [step, other] = drive.take(
      answer([told(0, { divergingEpoch: { epoch: 2, endOffset: 6 } }), told(1)]),
    )
    expect(step).toMatchObject({
      kind: 'truncate',
      diverging: { epoch: 2, endOffset: 6 },
      leaderEpoch: 3,
    })
    drive.state.appended(other!, { ok: true }, 0)
    expect(forgotten(drive.next())).toEqual([0])
    partition!.fetchPosition = { offset: 6, lastFetchedEpoch: 2 }
    expect(drive.state.resumed(step!, 0)).toBe(true)
    expect(asked(drive.next())).toEqual([[0, 6]])
  })

  test('one that led without writing drops that epoch, and goes on at once from the same offset', () => {
    const [partition] = drive.begun(0)
    partition!.fetchPosition = { offset: 5, lastFetchedEpoch: 8 }
    drive.state.disconnected()
    drive.next()
    const [step] = drive.take(answer([told(0, { divergingEpoch: { epoch: 7, endOffset: 5 } })]))
    partition!.fetchPosition = { offset: 5, lastFetchedEpoch: 7 }
    expect(drive.state.resumed(step!, 0)).toBe(true)
    expect(drive.next().topics[0]!.partitions[0]).toMatchObject({
      fetchOffset: 5,
      lastFetchedEpoch: 7,
    })
  })

  test('I-16: one whose offset the leader does not have is out of the session until that is settled', () => {
    drive.begun(0)
    drive.next()
    const [step] = drive.take(answer([failing(0, 'OFFSET_OUT_OF_RANGE')]))
    expect(step).toMatchObject({ kind: 'leave-range', leaderEpoch: 3 })
    expect(drive.state.next(0)).toBeNull()
    drive.state.failed(step!, 0)
    expect(drive.state.dueMs).toBeCloseTo(50, 0)
  })

  test('what was begun for a partition that has left since does not bring it back', () => {
    const [partition] = drive.begun(0, 1)
    drive.next()
    const [step] = drive.take(answer([failing(0, 'OFFSET_OUT_OF_RANGE')]))
    drive.state.unfollow(partition!)
    expect(drive.state.resumed(step!, 0)).toBe(true)
    expect(asked(drive.next())).toEqual([])
  })

  test.each([
    ['is in the range of the leader after all', failing(0, 'OFFSET_OUT_OF_RANGE')],
    ['finds nothing to cut', told(0, { divergingEpoch: { epoch: 2, endOffset: 6 } })],
  ])('who %s asks again later, and later each time, until its log has moved', (_, answered) => {
    const [partition] = drive.begun(0, 1)
    let nowMs = 0
    const pauses: number[] = []
    for (let count = 0; count < 3; count++) {
      drive.next(nowMs)
      const [step] = drive.take(answer([answered]), nowMs)
      expect(drive.state.resumed(step!, nowMs)).toBe(false)
      expect(asked(drive.next(nowMs))).toEqual([])
      drive.act(answer([]), nowMs)
      pauses.push(Math.round(drive.state.dueMs - nowMs))
      nowMs = drive.state.dueMs
    }
    expect(pauses).toEqual([50, 100, 200])
    drive.next(nowMs)
    const [step] = drive.take(answer([answered]), nowMs)
    partition!.fetchPosition = { offset: 6, lastFetchedEpoch: 2 }
    expect(drive.state.resumed(step!, nowMs)).toBe(true)
    expect(asked(drive.next(nowMs))).toEqual([[0, 6]])
  })
})

describe('the throttle of KIP-73', () => {
  test('holds back who is listed and not in sync, and nobody else', () => {
    const [listed] = drive.begun(0, 1, 2)
    drive.throttle.listed.add(0).add(2)
    drive.next()
    drive.act(
      answer([
        told(0, { records: bytes(2), highWatermark: 100 }),
        told(1, { records: bytes(3), highWatermark: 100 }),
        told(2, { records: bytes(4), highWatermark: 1 }),
      ]),
    )
    expect(drive.throttle.recorded).toBe(6)
    drive.throttle.isOver = true
    const request = drive.next()
    expect(asked(request).map(([partition]) => partition)).toEqual([1, 2])
    expect(forgotten(request)).toEqual([0])
    expect(drive.state.dueMs).toBe(100)
    // The others wait at the leader meanwhile: the look is due again later, and not at once for ever.
    expect(drive.state.next(100)).toBeNull()
    expect(drive.state.dueMs).toBe(200)
    drive.throttle.isOver = false
    drive.act(answer([]))
    expect(asked(drive.next(200))).toEqual([[0, listed!.fetchPosition.offset]])
    expect(drive.state.dueMs).toBe(Infinity)
  })

  test('where all are held back nothing is asked for', () => {
    drive.begun(0)
    drive.throttle.listed.add(0)
    drive.next()
    drive.act(answer([told(0, { highWatermark: 50 })]))
    drive.throttle.isOver = true
    expect(drive.state.next(0)).toBeNull()
    drive.throttle.isOver = false
    expect(asked(drive.next(100))).toEqual([[0, 0]])
  })
})

describe('a disk with less than 2 % free (durability.md 3.5)', () => {
  test('follows nothing but what the cluster itself needs, in sync or not, and goes on when there is room', () => {
    drive.begun(0, 1, 2)
    drive.room.needed.add(1)
    drive.next()
    drive.act(answer([told(2, { records: bytes(4), highWatermark: 4 })]))
    drive.room.isShort = true
    const request = drive.next()
    expect(asked(request).map(([partition]) => partition)).toEqual([])
    expect(forgotten(request)).toEqual([0, 2])
    drive.act(answer([]))
    expect(asked(drive.next(100))).toEqual([])
    drive.room.isShort = false
    drive.act(answer([]), 200)
    expect(asked(drive.next(200))).toEqual([
      [0, 0],
      [2, 4],
    ])
  })

  test('holds nobody back for the throttle alone once there is room', () => {
    drive.begun(0, 1)
    drive.throttle.listed.add(0)
    drive.next()
    drive.act(answer([told(0, { highWatermark: 50 })]))
    drive.throttle.isOver = true
    drive.room.isShort = true
    expect(drive.state.next(0)).toBeNull()
    drive.room.isShort = false
    expect(asked(drive.next(100)).map(([partition]) => partition)).toEqual([1])
  })
})
