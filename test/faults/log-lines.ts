import { setTimeout as sleep } from 'node:timers/promises'
import type { TestBroker } from '../helpers/broker.ts'

/** A line of the broker's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string }

/** Lines of the log, in order. What is no JSON, such as a stack, is left out. */
export function logLines({ output }: Pick<TestBroker, 'output'>): LogLine[] {
  return output.split('\n').flatMap(line => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as LogLine] : []
    } catch {
      return []
    }
  })
}

/** The line that says why a request from this address was refused, or its connection closed; waits for it. */
export async function refusalFrom(broker: TestBroker, address: string): Promise<LogLine> {
  for (let tries = 0; tries < 500; tries++) {
    const found = refusalsFrom(broker, address)
    if (found.length > 0) return found[0]!
    await sleep(10)
  }
  throw new Error(`no line about ${address}`)
}

export function refusalsFrom(broker: TestBroker, address: string): LogLine[] {
  return logLines(broker).filter(({ remote, reason }) => {
    return reason !== undefined && typeof remote === 'string' && remote.startsWith(`${address}:`)
  })
}
