import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { eventually, measuredAgain } from '../helpers/eventually.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { Bystander } from './bystander.ts'
import { lineOf, logLines, type LogLine } from './log-lines.ts'

const descriptors = 120
const rolling = { topic: 'rolling', partition: 0 }
/** Larger than half a segment: each begins a new one. */
const large = encodeBatch({ records: [{ value: 'x'.repeat(900) }] })
const wrapper = ['prlimit', `--nofile=${descriptors}:${descriptors}`]

test('without descriptors left a broker serves whom it has, does not spin, and recovers', async () => {
  await withBroker({ wrapper }, async broker => {
    const bystander = await Bystander.join(broker)
    const roller = await BrokerClient.connect(broker.port)
    await roller.createTopics([{ name: 'rolling', configs: { 'internal.segment.bytes': '1024' } }])
    expect((await roller.produce(rolling, large)).errorCode).toBe(0)
    const crowd = await Promise.all(Array.from({ length: 300 }, () => open(broker.port)))
    // libuv closes what it cannot keep and says nothing; the addon leaves it waiting, and says so.
    if (isNative(broker)) await lineOf(broker, 'EMFILE', isOfEmfile)
    else await eventually('somebody is turned away', () => crowd.some(({ closed }) => closed))
    await bystander.isServed()
    // A loop over a failing accept takes the whole of a processor, or its share of it, all the time.
    await measuredAgain(
      'part of a processor',
      () => partOfProcessor(broker.pid),
      part => part < 0.5,
    )
    await bystander.isServed()
    // What needs a new file is refused, and can be tried again.
    expect((await roller.produce(rolling, large)).errorCode).toBe(56)
    expect(tooOften(logLines(broker).filter(isOfEmfile))).toEqual([])
    for (const socket of crowd) socket.destroy()
    await isServedAnew(broker)
    await eventually('the segment rolls', async () => {
      return (await roller.produce(rolling, large)).errorCode === 0
    })
    roller.close()
    await bystander.isServed()
    bystander.leave()
    await broker.stop()
  })
})

test('logs that cannot be opened for want of descriptors are opened when there are some, without a restart', async () => {
  await withBroker({ wrapper }, async broker => {
    using client = await BrokerClient.connect(broker.port)
    const free = descriptors - readdirSync(`/proc/${broker.pid}/fd`).length
    const crowd = Array.from({ length: free - 10 }, () => BrokerClient.connect(broker.port))
    for (const one of await Promise.all(crowd)) await one.apiVersions()
    await client.createTopics([{ name: 'wide', partitions: 30 }])
    const wide = Array.from({ length: 30 }, (_, partition) => ({ topic: 'wide', partition }))
    const codes = new Set<number>()
    for (const place of wide) codes.add((await client.produce(place, large)).errorCode)
    expect(codes).toEqual(new Set([0, 56]))
    for (const one of await Promise.all(crowd)) one.close()
    for (const place of wide) {
      const produce = async () => (await client.produce(place, large)).errorCode
      await eventually(`partition ${place.partition} is served`, produce, code => code === 0)
    }
    await lineOf(broker, 'a log that was opened after all', ({ msg }) => {
      return msg === 'Opened a log that could not be opened before'
    })
    await broker.stop()
  })
})

/** The kernel completes it, whether the broker accepts it or not. */
function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
    socket.on('error', () => {})
    socket.resume()
  })
}

function isNative(broker: TestBroker): boolean {
  return logLines(broker).some(({ dataPath }) => dataPath === 'native')
}

function isOfEmfile({ code }: LogLine): boolean {
  return code === 'EMFILE'
}

/** Messages of which 21 were written within 10 s: ten in each of two periods is all that there may be (LineLimit). */
function tooOften(lines: readonly LogLine[]): string[] {
  return [...Map.groupBy(lines, ({ msg }) => msg)].flatMap(([msg, alike]) => {
    const times = alike.map(({ time }) => Number(time))
    return times.some((time, at) => time - (times[at - 20] ?? 0) < 9_900) ? [msg] : []
  })
}

/** Those of the crowd that were still waiting to be accepted take descriptors once more, until they are found gone. */
async function isServedAnew(broker: TestBroker): Promise<void> {
  using client = await BrokerClient.connect(broker.port)
  let tries = 0
  const create = async (): Promise<number> => {
    const { topics } = await client.createTopics([{ name: `after-${++tries}`, partitions: 3 }])
    return topics[0]!.errorCode
  }
  await eventually('a topic can be made', create, code => code === 0)
}

/** How much of a processor a process takes for two seconds. */
async function partOfProcessor(pid: number): Promise<number> {
  const [cpuBefore, before] = [cpuMs(pid), performance.now()]
  await sleep(2000)
  return (cpuMs(pid) - cpuBefore) / (performance.now() - before)
}

/** Processor time of a process and its threads, in ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticksPerSecond = 100
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}
