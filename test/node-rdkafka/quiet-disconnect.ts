import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * Loaded into mocha before the specs: a consumer that is to disconnect first stops what it reads, and disconnects when
 * all that it had read was delivered. Why that is needed stands in suite.ts.
 */
interface Consumer {
  isConnected(): boolean
  assignments(): readonly unknown[]
  pause(partitions: readonly unknown[]): void
  disconnect: (this: Consumer, ...args: unknown[]) => unknown
}

const client = createRequire(join(process.cwd(), 'package.json'))('./') as {
  readonly KafkaConsumer: { readonly prototype: Consumer }
}
const { prototype } = client.KafkaConsumer
const { disconnect } = prototype

/** What librdkafka's queue gave out before the pause is with JavaScript within microseconds. */
const deliveredMs = 100

prototype.disconnect = function (...args) {
  const partitions = this.isConnected() ? this.assignments() : []
  if (partitions.length > 0) this.pause(partitions)
  setTimeout(() => disconnect.apply(this, args), deliveredMs)
  return this
}
