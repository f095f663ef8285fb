import type { TestBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'

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

/** The first line that `isIt`. It comes by a pipe, a little later than the answer to what it tells of: waits for it. */
export async function lineOf(
  broker: Pick<TestBroker, 'output'>,
  what: string,
  isIt: (line: LogLine) => boolean,
): Promise<LogLine> {
  const lines = await eventually(
    `a line of the log about ${what}`,
    () => logLines(broker),
    all => all.some(isIt),
  )
  return lines.find(isIt)!
}

/** The line that says why a request from this address was refused, or its connection closed; waits for it. */
export function refusalFrom(broker: TestBroker, address: string): Promise<LogLine> {
  return lineOf(broker, address, line => isRefusal(line, address))
}

export function refusalsFrom(broker: TestBroker, address: string): LogLine[] {
  return logLines(broker).filter(line => isRefusal(line, address))
}

function isRefusal({ remote, reason }: LogLine, address: string): boolean {
  return reason !== undefined && typeof remote === 'string' && remote.startsWith(`${address}:`)
}
