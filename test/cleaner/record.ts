/**
 * Lets Apache Kafka's cleaner do everything that test/cleaner/scenarios.ts says, and writes down what it leaves, for
 * oracle.test.ts, which asks the same of us:
 *
 *     node test/cleaner/record.ts [PART OF A SCENARIO'S NAME...]
 *
 * With names it only prints what it found. Needs Java and the kit that `node tools/clients.ts` fetches.
 */
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type StartedBroker, startKafka } from '../../tools/kafka.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { writeRecorded } from './recorded.ts'
import { type RestartableSubject, runScenarios } from './run-scenarios.ts'
import { cleanerSettings, cleaningScenarios } from './scenarios.ts'

class KafkaSubject implements RestartableSubject {
  client: BrokerClient
  kafka: StartedBroker

  static async start(): Promise<KafkaSubject> {
    const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
    const kafka = await startKafka({ properties: cleanerSettings, heapMiB: 512, parent })
    return new KafkaSubject(kafka, await connected(kafka))
  }

  private constructor(kafka: StartedBroker, client: BrokerClient) {
    this.kafka = kafka
    this.client = client
  }

  cleanedOffset(topic: string): number | null {
    const file = join(this.kafka.dataDir, 'cleaner-offset-checkpoint')
    if (!existsSync(file)) return null
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find(each => each.startsWith(`${topic} 0 `))
    return line === undefined ? null : Number(line.split(' ')[2])
  }

  async restart(): Promise<void> {
    this.client.close()
    await this.kafka.end('SIGTERM')
    this.kafka = await this.kafka.again()
    this.client = await connected(this.kafka)
  }
}

function connected({ address }: StartedBroker): Promise<BrokerClient> {
  return BrokerClient.connect(Number(address.split(':').at(-1)))
}

const parts = process.argv.slice(2)
const chosen = cleaningScenarios.filter(({ name }) => {
  return parts.length === 0 || parts.some(part => name.includes(part))
})
const subject = await KafkaSubject.start()
try {
  const { found, failures } = await runScenarios(subject, chosen)
  for (const [name, error] of Object.entries(failures)) {
    throw new Error(`"${name}" broke off`, { cause: error })
  }
  if (parts.length === 0) writeRecorded(found)
  else console.log(JSON.stringify(found, null, 1))
} catch (error) {
  console.error(subject.kafka.output().slice(-5000))
  throw error
} finally {
  subject.client.close()
  await subject.kafka.stop()
}
