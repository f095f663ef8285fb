import { expect, test } from 'vitest'
import { FollowingRoom } from './following-room.ts'

const totalBytes = 1_000

function at(freeBytes: number) {
  const disk = { freeBytes, isSilent: false, asked: 0 }
  const room = new FollowingRoom({
    space: () => {
      disk.asked++
      return disk.isSilent ? null : { totalBytes, freeBytes: disk.freeBytes }
    },
    isInternal: topicId => topicId === 'own',
  })
  return { disk, room }
}

test('below 2 % there is none, and between 2 and 3 % it stays as it was', () => {
  const { disk, room } = at(20)
  expect(room.isShort(0)).toBe(false)
  disk.freeBytes = 19
  expect(room.isShort(1_000)).toBe(true)
  disk.freeBytes = 29
  expect(room.isShort(2_000)).toBe(true)
  disk.freeBytes = 30
  expect(room.isShort(3_000)).toBe(false)
  disk.freeBytes = 25
  expect(room.isShort(4_000)).toBe(false)
})

test('the disk is asked once a second', () => {
  const { disk, room } = at(10)
  for (let nowMs = 0; nowMs < 3_000; nowMs += 10) room.isShort(nowMs)
  expect(disk.asked).toBe(3)
})

test('a disk that does not answer is no full one', () => {
  const { disk, room } = at(10)
  disk.isSilent = true
  expect(room.isShort(0)).toBe(false)
})

test('topics of the cluster itself are needed', () => {
  const { room } = at(10)
  expect(room.isNeeded({ topicId: 'own', topic: '__own', partition: 0 })).toBe(true)
  expect(room.isNeeded({ topicId: 'other', topic: 'other', partition: 0 })).toBe(false)
})
