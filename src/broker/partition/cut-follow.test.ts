import { expect, test } from 'vitest'
import { Trio } from '../../../test/helpers/trio.ts'

test('R5: who comes to follow another leader while it is being cut follows nobody before that is done, and then tells where it stands', async () => {
  const trio = await Trio.start()
  await trio.append(1, 5)
  await trio.catchUp()
  const { partition } = trio.of(2)
  const cut = partition.leaveRange({ startOffset: 0, endOffset: 0 }, 7)
  expect(partition.fetchPosition.offset).toBe(5)
  trio.followed.length = 0
  trio.elect(3, [2])
  expect([partition.following, trio.followed]).toEqual([null, [null]])
  await cut
  expect(partition.following).toMatchObject({ leader: 3, leaderEpoch: 8 })
  expect([partition.fetchPosition.offset, trio.followed]).toEqual([0, [null, 3]])
})

test('a log that leaves while it is to be cut is not cut, and nobody fails of it', async () => {
  const trio = await Trio.start()
  await trio.append(1, 5)
  await trio.catchUp()
  const { partition, log } = trio.of(2)
  const ended: string[] = []
  const cut = partition.leaveRange({ startOffset: 0, endOffset: 0 }, 7)
  void cut.then(
    () => ended.push('cut'),
    (error: unknown) => ended.push(String(error)),
  )
  partition.close('deleted')
  void log.retire().then(() => ended.push('retired'))
  while (ended.length < 2) await trio.clock.settle()
  expect(ended).toEqual(['cut', 'retired'])
  expect(partition.following).toBeNull()
})
