/**
 * Loaded into mocha before the specs: a test that bets on who of two threads of the client is first is tried four times.
 * `committed` with a timeout of 0 ms must not get what librdkafka's own thread can have answered before the caller looks,
 * where that is given the processor between the two (rd_kafka_committed: a request is queued, then the queue of answers
 * asked).
 */
interface Hook {
  readonly currentTest: { fullTitle(): string; retries(count: number): void }
}

const bet = 'Consumer committed and position should obey the timeout'

/** Root hooks, which mocha takes from what it is told to require. */
export const mochaHooks = {
  beforeEach(this: Hook): void {
    if (this.currentTest.fullTitle() === bet) this.currentTest.retries(3)
  },
}
