import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * Loaded into mocha before the specs: a consumer that reads in a loop asks for a quarter of a second at a time instead of
 * a whole one. Why that is needed stands in suite.ts.
 */
interface Consumer {
  consume: (this: Consumer, ...args: unknown[]) => unknown
  setDefaultConsumeTimeout(timeoutMs: number): void
}

const client = createRequire(join(process.cwd(), 'package.json'))('./') as {
  readonly KafkaConsumer: { readonly prototype: Consumer }
}
const { prototype } = client.KafkaConsumer
const { consume } = prototype

prototype.consume = function (...args) {
  const isLoop = args.length === 0 || typeof args[0] === 'function'
  if (isLoop) this.setDefaultConsumeTimeout(250)
  return consume.apply(this, args)
}
