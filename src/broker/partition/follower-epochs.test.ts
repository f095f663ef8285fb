import { expect, test } from 'vitest'
import { Trio } from '../../../test/helpers/trio.ts'

test('G33: a request of another epoch is told so by a follower too, before it is told who leads', async () => {
  const trio = await Trio.start()
  const { partition } = trio.of(2)
  expect([-1, 7, 6, 8].map(epoch => partition.availability(epoch))).toEqual([
    'NOT_LEADER_OR_FOLLOWER',
    'NOT_LEADER_OR_FOLLOWER',
    'FENCED_LEADER_EPOCH',
    'UNKNOWN_LEADER_EPOCH',
  ])
})
