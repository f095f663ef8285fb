/**
 * Asks Apache Kafka what it says to each wish for a topic's configs, and writes it down for configs.test.ts:
 *
 *     node test/kafka-configs/record.ts
 *
 * Needs Java and the kit that `node tools/clients.ts` fetches.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startKafka } from '../../tools/kafka.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { askConfigs } from './ask.ts'

const kafka = await startKafka()
try {
  const client = await BrokerClient.connect(Number(kafka.address.split(':')[1]))
  const answers = await askConfigs(client)
  client.close()
  const alone = Object.entries(answers.alone).map(([name, rows]) => {
    const lines = rows.map(row => `      ${JSON.stringify(row)}`)
    return `    ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n    ]`
  })
  const text = `{
  "alone": {
${alone.join(',\n')}
  },
  "together": ${JSON.stringify(answers.together)},
  "lists": ${JSON.stringify(answers.lists)}
}
`
  writeFileSync(join(import.meta.dirname, 'kafka-4.3.1.json'), text)
} finally {
  await kafka.stop()
}
