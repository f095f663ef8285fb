import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCredentials } from '../../src/broker/many/credentials.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { freePort } from '../kubernetes/control-plane/ports.ts'
import { BrokerClient } from './broker-client.ts'
import { TestBroker, type BrokerOptions } from './broker.ts'
import { askCoordinator, type Cluster, type Coordination } from './cluster.ts'
import { eventually } from './eventually.ts'

/** Several that start at once, on a machine with other work, take their time. */
const readyMsMax = 120_000

/** Where and how one of them runs, where that is not as all do. */
export interface BrokerPlace extends Pick<
  BrokerOptions,
  'dataDir' | 'wrapper' | 'nodeArgs' | 'env'
> {
  /** Its address, in the network of its own that `wrapper` puts it in. */
  readonly host?: string
}

/** Several broker processes of one cluster, each with a directory of its own, over a folder that they share. Ids count from 0. */
export class BrokerCluster implements Cluster {
  readonly #dir = mkdtempSync(join(tmpdir(), 'logcluster-cluster-'))
  readonly brokers: TestBroker[] = []
  readonly #ports = new Set<number>()
  readonly #clients: BrokerClient[] = []
  /** By id: what its broker was given. */
  readonly #given: Readonly<Record<string, string>>[] = []

  /** `count` brokers, of which `startedCount` run. */
  static async start(
    count: number,
    settings: Readonly<Record<string, string>> = {},
    startedCount = count,
    placeOf: (id: number) => BrokerPlace = () => ({}),
  ): Promise<BrokerCluster> {
    const cluster = new BrokerCluster()
    const { metadataDir } = cluster
    const { credentialsDir } = cluster
    makeCredentials(credentialsDir, realRandom)
    for (let id = 0; id < count; id++) {
      const { host = '127.0.0.1', ...place } = placeOf(id)
      const dataDir = place.dataDir ?? join(cluster.#dir, String(id))
      mkdirSync(dataDir, { recursive: true })
      const [port, privatePort] = [await cluster.#port(), await cluster.#port()]
      const own = {
        'node.id': String(id),
        listeners: `PLAINTEXT://${host}:${port}`,
        'private.listener': `${host}:${privatePort}`,
        'private.credentials.dir': credentialsDir,
        'metadata.dir': metadataDir,
        'cluster.size': String(count),
        'default.replication.factor': String(Math.min(count, 3)),
        ...(host === '127.0.0.1' ? {} : { 'http.address': `${host}:0` }),
      }
      cluster.#given.push({ ...own, ...settings })
      cluster.brokers.push(
        new TestBroker({ ...place, dataDir, readyMsMax, settings: { ...own, ...settings } }),
      )
    }
    try {
      await Promise.all(cluster.brokers.slice(0, startedCount).map(broker => broker.start()))
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
    return cluster
  }

  /** Passwords of their private listeners. */
  get credentialsDir(): string {
    return join(this.#dir, 'credentials')
  }

  /** Where the other brokers, and an operator, reach the broker. */
  privatePortOf(id: number): number {
    return Number(this.#given[id]!['private.listener']!.split(':').at(-1))
  }

  /** What they share. */
  get metadataDir(): string {
    return join(this.#dir, 'metadata')
  }

  /** A free one that no other of these brokers has: none of them listens yet. */
  async #port(): Promise<number> {
    for (;;) {
      const port = await freePort('127.0.0.1')
      if (this.#ports.has(port)) continue
      this.#ports.add(port)
      return port
    }
  }

  broker(id: number): TestBroker {
    return this.brokers[id]!
  }

  /** Another process that has the broker's settings but for its addresses, a new disk and `over`; it does not run yet. */
  async double(id: number, over: BrokerOptions = {}): Promise<TestBroker> {
    const own = {
      listeners: `PLAINTEXT://127.0.0.1:${await this.#port()}`,
      'private.listener': `127.0.0.1:${await this.#port()}`,
    }
    const settings = { ...this.#given[id], ...own, ...over.settings }
    return new TestBroker({ ...over, readyMsMax, settings })
  }

  async connect(id: number): Promise<BrokerClient> {
    const client = await BrokerClient.connect(this.broker(id).port)
    this.#clients.push(client)
    return client
  }

  /** The coordinator, as soon as the broker knows of one that is none of `except`. */
  async findCoordinator(
    client: BrokerClient,
    group: string,
    except: readonly number[] = [],
  ): Promise<{ readonly id: number; readonly port: number }> {
    const isFound = (seen: Coordination): boolean =>
      typeof seen !== 'string' && !except.includes(seen.id)
    const look = (): Promise<Coordination> => askCoordinator(client, group)
    const found = await eventually(`a coordinator of ${group}`, look, isFound)
    if (typeof found === 'string') throw new Error(found)
    return found
  }

  /** All that the processes said; for a test that failed. */
  get output(): string {
    const last = (broker: TestBroker, id: number): string =>
      `--- broker ${id}\n${broker.output.slice(-6_000)}`
    return this.brokers.map(last).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    const ends = await Promise.allSettled(this.brokers.map(each => each[Symbol.asyncDispose]()))
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 3 })
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
}

/** Runs `act` with a cluster that is gone afterwards, and shows what its brokers said where `act` failed. */
export async function withCluster(
  cluster: BrokerCluster,
  act: (cluster: BrokerCluster) => Promise<void>,
): Promise<void> {
  try {
    await act(cluster)
  } catch (error) {
    console.error(cluster.output)
    throw error
  } finally {
    await cluster[Symbol.asyncDispose]()
  }
}
