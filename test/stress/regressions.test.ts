import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromHex } from '../../src/lib/bytes.ts'
import { outcomeOf } from './outcome.ts'
import { startBroker, type TestBroker } from '../helpers/broker.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { Neighbour } from './neighbour.ts'
import { regressions } from './regressions.ts'

describe.each(['on', 'off'] as const)('frames that once did harm, native %s', native => {
  let broker: TestBroker
  let neighbour: Neighbour

  beforeAll(async () => {
    broker = await startBroker({ native, settings: { 'num.partitions': '1' } })
    neighbour = await Neighbour.join(broker.port)
  })

  afterAll(async () => {
    await neighbour.stop()
    await broker.stop()
    await broker[Symbol.asyncDispose]()
  })

  test.each(regressions)('$why', async ({ frame, outcome }) => {
    using client = await RawClient.connect(broker.port)
    const othersAreServed = () => neighbour.more(2)
    expect(await outcomeOf(client, fromHex(frame), { othersAreServed })).toBe(outcome)
    await neighbour.more(1)
    expect(broker.isRunning).toBe(true)
  })
})
