import { expect, test } from 'vitest'
import { Trio } from '../../../test/helpers/trio.ts'
import { CutError } from '../log/log.ts'

test('what is cut before it was flushed counts nowhere, and the replica goes on', async () => {
  const trio = await Trio.start({ flushPolicy: 'ack' })
  await trio.append(1, 2)
  await trio.catchUp()
  const { log, partition } = trio.of(1)
  const flush = Promise.withResolvers<void>()
  const whenDurable = log.whenDurable.bind(log)
  log.whenDurable = () => flush.promise
  await trio.append(1, 3)
  log.whenDurable = whenDurable
  trio.elect(2)
  await trio.fetch(1)
  flush.reject(new CutError('it was cut'))
  await trio.clock.settle()
  expect([partition.failure, log.endOffset]).toEqual([null, 2])
  await trio.append(2, 1)
  await trio.catchUp()
  expect(await trio.bytes(1)).toEqual(await trio.bytes(2))
})
