import { SimDisk } from '../../sim/disk.ts'
import { Broker, type BrokerOptions } from '../../src/broker/broker.ts'
import { defaultSettings, type Settings } from '../../src/broker/config/settings.ts'
import type { Logger } from '../../src/broker/telemetry/logger.ts'
import { Metrics } from '../../src/broker/telemetry/metrics.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { walkRecords } from '../../src/broker/log/batch/record-walk.ts'
import { crc32c } from '../../src/lib/crc32c.ts'
import { BrokerClient, type BrokerClientOptions } from './broker-client.ts'
import { silentLogger } from './silent-logger.ts'

/** A whole broker in this process: real sockets, a disk in memory. What it answers is the same as ever. */
export class InProcessBroker {
  readonly disk: SimDisk
  readonly metrics = new Metrics()
  readonly fatal: unknown[] = []
  readonly broker: Broker
  readonly #clients: BrokerClient[] = []

  constructor(
    disk: SimDisk,
    changes: Partial<Settings> = {},
    logger: Logger = silentLogger,
    rest: Pick<BrokerOptions, 'openObjects'> = {},
  ) {
    this.disk = disk
    const settings = defaultSettings({
      listeners: 'PLAINTEXT://127.0.0.1:0',
      logDirs: '/data',
      ...changes,
    })
    this.broker = new Broker({
      env: {
        clock: realClock,
        random: realRandom,
        disk,
        network: new NodeNetwork(),
        crc32c,
        walkRecords,
      },
      configuration: { settings, given: new Map() },
      logger,
      metrics: this.metrics,
      version: '0.0.0-test',
      bootId: 'boot',
      workingDirectory: '/',
      hostName: 'machine',
      fatal: error => this.fatal.push(error),
      ...rest,
    })
  }

  /** Made, and not started. */
  static made(changes: Partial<Settings>, disk: SimDisk, logger = silentLogger): InProcessBroker {
    if (disk.stat('/data') === null) disk.mkdir('/data')
    return new InProcessBroker(disk, changes, logger)
  }

  static async start(
    changes: Partial<Settings> = {},
    disk: SimDisk = new SimDisk(),
    logger = silentLogger,
  ): Promise<InProcessBroker> {
    const started = InProcessBroker.made(changes, disk, logger)
    await started.broker.start()
    return started
  }

  async connect(options: BrokerClientOptions = {}): Promise<BrokerClient> {
    const client = await BrokerClient.connect(this.broker.listeners[0]!.port, options)
    this.#clients.push(client)
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.broker.stop()
  }
}
