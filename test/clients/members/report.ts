import { createInterface } from 'node:readline'

/** What a member is started with. */
export interface Orders {
  readonly address: string
  readonly topic: string
  readonly group: string
  readonly name: string
}

export function readOrders(): Orders {
  const [address, topic, group, name] = process.argv.slice(2)
  if (address === undefined || topic === undefined || group === undefined || name === undefined) {
    throw new Error('ADDRESS TOPIC GROUP NAME')
  }
  return { address, topic, group, name }
}

/** A line for the test: the partitions that the member may read from now on. */
export function assigned(partitions: readonly number[]): void {
  console.log(JSON.stringify({ assigned: partitions }))
}

/** A line for the test: a record that was read. */
export function read(partition: number, offset: number): void {
  console.log(JSON.stringify({ partition, offset }))
}

/** Calls `leave` when the test says so, by any line on standard input; then the process ends. */
export function onLeave(leave: () => Promise<void>): void {
  createInterface({ input: process.stdin }).once('line', () => {
    leave().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
}
