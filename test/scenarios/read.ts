import { deepEqual, equal } from 'node:assert/strict'
import type { Stage } from './stage.ts'

export async function seekByTime(stage: Stage): Promise<void> {
  await stage.createTopic()
  const firstMs = Date.now() - 100_000
  await stage.produceBatch(100, firstMs, 100)
  await stage.middle()
  const offsetAt = (timestamp: number): Promise<number> =>
    stage.driver.call('offsetForTime', { topic: stage.topic, partition: 0, timestamp })
  equal(await offsetAt(firstMs), 0)
  equal(await offsetAt(firstMs + 4200), 42)
  equal(await offsetAt(firstMs + 4201), 43)
  equal(await offsetAt(firstMs + 60_000), -1)
  const [first] = await stage.consume(43, 1)
  equal(first?.value, 'value 43')
}

export async function middleOfBatch(stage: Stage): Promise<void> {
  await stage.createTopic()
  await stage.produceBatch(100)
  await stage.middle()
  const found = await stage.consume(37, 63)
  deepEqual(
    found.map(({ offset, value }) => [offset, value]),
    Array.from({ length: 63 }, (_, at) => [37 + at, `value ${37 + at}`]),
  )
}

export async function pauseAndResume(stage: Stage): Promise<void> {
  await stage.createTopic()
  // In batches, so that what was fetched before the pause is not all.
  for (let batch = 0; batch < 5; batch++) await stage.produceBatch(10)
  await stage.middle()
  const wish = { topic: stage.topic, partition: 0, before: 10, total: 50, quietMs: 600 }
  const { before, during, after } = await stage.driver.call('pauseResume', wish)
  deepEqual(during, [])
  deepEqual(
    [...before, ...after],
    Array.from({ length: 50 }, (_, at) => at),
  )
}
