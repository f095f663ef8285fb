import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestBroker } from '../helpers/broker.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import type { RestartableSubject } from './run-scenarios.ts'

/** A broker of ours, whose cleaner is watched. */
export class OurSubject implements RestartableSubject {
  client: BrokerClient
  readonly #broker: TestBroker

  static async of(broker: TestBroker): Promise<OurSubject> {
    return new OurSubject(broker, await BrokerClient.connect(broker.port))
  }

  private constructor(broker: TestBroker, client: BrokerClient) {
    this.#broker = broker
    this.client = client
  }

  cleanedOffset(topic: string): number | null {
    return cleanedOffsetIn(this.#broker.dataDir, { topic, partition: 0 })
  }

  async restart(): Promise<void> {
    this.client.close()
    await this.#broker.stop()
    await this.#broker.start()
    this.client = await BrokerClient.connect(this.#broker.port)
  }
}

interface Of {
  readonly topic: string
  readonly partition: number
}

/** Up to where a partition was cleaned, as the data directory says; null where it says nothing. */
export function cleanedOffsetIn(dataDir: string, of: Of): number | null {
  const path = join(dataDir, 'cleaner-offset-checkpoint')
  if (!existsSync(path)) return null
  const { body } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly body: { readonly offsets: Readonly<Record<string, number>> }
  }
  return body.offsets[logFolder(dataDir, of)] ?? null
}

/** The name of a partition's directory. */
export function logFolder(dataDir: string, { topic, partition }: Of): string {
  const found = readdirSync(dataDir).find(name => name.startsWith(`${topic}-${partition}.`))
  if (found === undefined) throw new Error(`${topic}-${partition} is not in ${dataDir}`)
  return found
}
