import { afterAll, afterEach, beforeAll } from 'vitest'
import { type BrokerOptions, startBroker, type TestBroker } from './broker.ts'

/** One broker for all tests of a suite. What it said is shown with a test that fails. */
export function suiteBroker(options: BrokerOptions = {}): () => TestBroker {
  let broker: TestBroker | undefined
  let shownTo = 0
  beforeAll(async () => {
    broker = await startBroker(options)
  })
  afterEach(({ task }) => {
    if (broker === undefined) return
    const said = broker.output.slice(shownTo)
    shownTo = broker.output.length
    if (task.result?.state !== 'fail') return
    console.error(`During "${task.name}" the broker said:\n${said.slice(-8000)}`)
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())
  return () => {
    if (broker === undefined) throw new Error('the broker has not started yet')
    return broker
  }
}
