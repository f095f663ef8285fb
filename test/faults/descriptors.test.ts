import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { withBroker, type TestBroker } from '../helpers/broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { Bystander } from './bystander.ts'
import { logLines } from './log-lines.ts'

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
    if (isNative(broker)) await saysWhy(broker)
    else await isTurnedAway(crowd)
    await bystander.isServed()
    const [cpuBefore, before] = [cpuMs(broker.pid), performance.now()]
    await sleep(2000)
    const part = (cpuMs(broker.pid) - cpuBefore) / (performance.now() - before)
    // A loop over a failing accept takes the whole of a processor.
    expect(part).toBeLessThan(0.5)
    await bystander.isServed()
    // What needs a new file is refused, and can be tried again.
    expect((await roller.produce(rolling, large)).errorCode).toBe(56)
    const lines = logLines(broker).filter(({ code }) => code === 'EMFILE')
    expect(lines.length).toBeLessThanOrEqual(20)
    for (const socket of crowd) socket.destroy()
    await isServedAnew(broker)
    expect((await roller.produce(rolling, large)).errorCode).toBe(0)
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
      while ((await client.produce(place, large)).errorCode !== 0) await sleep(100)
    }
    const told = logLines(broker).map(({ msg }) => msg)
    expect(told).toContain('Opened a log that could not be opened before')
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

async function isTurnedAway(crowd: readonly Socket[]): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (crowd.some(socket => socket.closed)) return
    await sleep(20)
  }
  throw new Error('every connection was kept')
}

async function saysWhy(broker: TestBroker): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (logLines(broker).some(({ code }) => code === 'EMFILE')) return
    await sleep(20)
  }
  throw new Error('no line about EMFILE')
}

async function isServedAnew(broker: TestBroker): Promise<void> {
  using client = await BrokerClient.connect(broker.port)
  const { topics } = await client.createTopics([{ name: 'after', partitions: 3 }])
  expect(topics[0]!.errorCode).toBe(0)
}

/** Processor time of a process and its threads, in ms. */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticksPerSecond = 100
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}
