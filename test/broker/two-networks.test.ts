import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { Broker } from '../../src/broker/broker.ts'
import { defaultSettings } from '../../src/broker/config/settings.ts'
import { encodeBatch } from '../../src/broker/log/batch/batch.ts'
import { loadNative } from '../../src/broker/native/load.ts'
import { Metrics } from '../../src/broker/telemetry/metrics.ts'
import type {
  ConnectionEvents,
  ConnectOptions,
  Disk,
  ListenerEvents,
  ListenOptions,
  Network,
} from '../../src/env/env.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeDisk } from '../../src/env/real/disk.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { walkRecords } from '../../src/broker/log/batch/record-walk.ts'
import { crc32c } from '../../src/lib/crc32c.ts'

import { eventually } from '../helpers/eventually.ts'
import { samplesIn, sumOf } from '../helpers/metrics.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { silentLogger } from '../helpers/silent-logger.ts'

/** Each of its listeners is on the next of its networks. */
class SeveralNetworks implements Network {
  readonly kind = 'node'
  readonly #networks: readonly Network[]
  #listenerCount = 0

  constructor(networks: readonly Network[]) {
    this.#networks = networks
  }

  get counters() {
    return this.#networks[0]!.counters
  }

  listen(options: ListenOptions, events: ListenerEvents) {
    return this.#networks[this.#listenerCount++ % this.#networks.length]!.listen(options, events)
  }

  connect(options: ConnectOptions, events: ConnectionEvents) {
    return this.#networks[0]!.connect(options, events)
  }
}

const topics = ['first', 'second']
const batchBytes = 10_000

/** Reads topic by topic, each by a listener, and so a network, of its own. */
async function expectBothCounted(networks: readonly Network[], disk: Disk): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/logcluster-two-networks-`)
  const metrics = new Metrics()
  const settings = defaultSettings({
    listeners: 'PLAINTEXT://127.0.0.1:0,OTHER://127.0.0.1:0',
    logDirs: folder,
  })
  const network = new SeveralNetworks(networks)
  const broker = new Broker({
    env: { clock: realClock, random: realRandom, disk, network, crc32c, walkRecords },
    configuration: { settings, given: new Map() },
    logger: silentLogger,
    metrics,
    version: '0.0.0-test',
    bootId: 'boot',
    workingDirectory: '/',
    hostName: 'machine',
    fatal: error => {
      throw error
    },
  })
  await broker.start()
  try {
    const clients = await Promise.all(
      broker.listeners.map(({ port }) => BrokerClient.connect(port)),
    )
    const records = encodeBatch({ records: [{ key: null, value: new Uint8Array(batchBytes) }] })
    await clients[0]!.createTopics(topics.map(name => ({ name })))
    for (const [at, topic] of topics.entries()) {
      await clients[at]!.produce({ topic, partition: 0 }, records)
      // More often than once: a reader has one stream, whose network must know it.
      for (let round = 0; round <= at; round++) {
        const fetched = await clients[at]!.fetch({ topic, partition: 0 }, 0)
        expect(fetched.records).toHaveLength(records.length)
      }
    }
    const sent = async (topic: string) =>
      sumOf(samplesIn(await metrics.text()), 'logcluster_page_cache_sent_bytes_total', { topic })
    await eventually(
      'bytes sent',
      () => sent('first'),
      bytes => bytes === records.length,
    )
    await eventually(
      'bytes sent',
      () => sent('second'),
      bytes => bytes === 2 * records.length,
    )
    for (const client of clients) client.close()
  } finally {
    await broker.stop()
    rmSync(folder, { recursive: true })
  }
}

describe('two networks serve one broker, and each counts what its own readers were sent', () => {
  test('two of Node', () =>
    expectBothCounted([new NodeNetwork(), new NodeNetwork()], new NodeDisk()))

  const loaded = loadNative()
  if (loaded.ok) {
    const { network, disk } = loaded.native
    test('the native one first', () => expectBothCounted([network, new NodeNetwork()], disk))
    test("Node's first", () => expectBothCounted([new NodeNetwork(), network], disk))
  } else test.skip(`with the native one: not run, ${loaded.reason}`, () => {})
})
