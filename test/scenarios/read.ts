import { deepEqual, equal } from 'node:assert/strict'
import type { World } from './world.ts'

export async function seekByTime(world: World): Promise<void> {
  await world.createTopic()
  const firstMs = Date.now() - 100_000
  await world.produceBatch(100, firstMs, 100)
  const offsetAt = (timestamp: number): Promise<number> =>
    world.driver.call('offsetForTime', { topic: world.topic, partition: 0, timestamp })
  equal(await offsetAt(firstMs), 0)
  equal(await offsetAt(firstMs + 4200), 42)
  equal(await offsetAt(firstMs + 4201), 43)
  equal(await offsetAt(firstMs + 60_000), -1)
  const [first] = await world.consume(43, 1)
  equal(first?.value, 'value 43')
}

export async function middleOfBatch(world: World): Promise<void> {
  await world.createTopic()
  await world.produceBatch(100)
  const found = await world.consume(37, 63)
  deepEqual(
    found.map(({ offset, value }) => [offset, value]),
    Array.from({ length: 63 }, (_, at) => [37 + at, `value ${37 + at}`]),
  )
}

export async function pauseAndResume(world: World): Promise<void> {
  await world.createTopic()
  // In batches, so that what was fetched before the pause is not all.
  for (let batch = 0; batch < 5; batch++) await world.produceBatch(10)
  const wish = { topic: world.topic, partition: 0, before: 10, total: 50, quietMs: 600 }
  const { before, during, after } = await world.driver.call('pauseResume', wish)
  deepEqual(during, [])
  deepEqual(
    [...before, ...after],
    Array.from({ length: 50 }, (_, at) => at),
  )
}
