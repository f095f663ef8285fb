import { expect, test } from 'vitest'
import { CutError, Durability } from './durability.ts'

type Parts = ConstructorParameters<typeof Durability>

/** Of a log that ends at 10, and what its directory was asked for. */
function flushed() {
  const asked = { flushes: 0 }
  const log = {
    name: 'log',
    path: '/log',
    config: { flushMessages: Infinity },
    host: { failure: null, flushSoon: () => void asked.flushes++ },
    segments: Object.assign([], { endOffset: 10, isBrief: true }),
    epochs: { isSaved: false },
  }
  const durability = new Durability(log as unknown as Parts[0], {
    offset: 0,
    isDirectoryDirty: false,
  })
  return { durability, log, asked }
}

test('a flush that began before a cut says nothing of what came after it, and another one is asked for', async () => {
  const { durability, log, asked } = flushed()
  const below = durability.reached(4)
  const above = expect(durability.reached(8)).rejects.toThrow(CutError)
  const before = durability.beginFlush()
  durability.beginCut(6)
  log.segments.endOffset = 6
  durability.endCut()
  await above
  expect(asked.flushes).toBe(3)
  // The log has grown again when the old flush ends.
  log.segments.endOffset = 12
  await durability.endFlush(before)
  expect(durability.offset).toBe(0)
  await durability.endFlush(durability.beginFlush())
  await below
  expect(durability.offset).toBe(12)
})

test('while a cut is under way nothing counts as durable that is about to go; where it does not go, it does again', async () => {
  const { durability, asked } = flushed()
  const mark = durability.beginFlush()
  durability.beginCut(6)
  await durability.endFlush(mark)
  expect(durability.offset).toBe(6)
  durability.abandonCut()
  expect(asked.flushes).toBe(1)
  await durability.endFlush(durability.beginFlush())
  expect(durability.offset).toBe(10)
})
