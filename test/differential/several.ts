import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { KafkaCluster } from '../helpers/kafka-cluster.ts'
import { askScenario } from './ask-all.ts'
import { isList, isStruct, type Json } from './json.ts'
import type { Recorded } from './recorded.ts'
import { severalScenarios } from './requests/several.ts'
import { severalSettings } from './settings.ts'

/** The name of what was recorded. */
export const severalTheme = 'several'

/** Asks Apache Kafka on three nodes, each of them broker and controller. */
export async function askThreeOfKafka(): Promise<Recorded> {
  await using cluster = await KafkaCluster.start(3, severalSettings)
  return await askSeveral(cluster.brokers.map(({ port }) => port))
}

export async function askThreeOfUs(): Promise<Recorded> {
  await using cluster = await BrokerCluster.start(3, severalSettings)
  return await askSeveral(cluster.brokers.map(({ port }) => port))
}

async function askSeveral(ports: readonly number[]): Promise<Recorded> {
  const recorded: Record<string, Recorded[string]> = {}
  for (const scenario of severalScenarios) {
    const answers = await askScenario(scenario, ports)
    const masked = Object.entries(answers).map(([label, of]) => [label, withoutChance(of)] as const)
    recorded[scenario.name] = Object.fromEntries(masked)
  }
  return recorded
}

/** Which of the three is the controller is chance. */
function withoutChance(of: Json): Json {
  if (isList(of)) return of.map(withoutChance)
  if (!isStruct(of)) return of
  const fields = Object.entries(of).map(([name, value]) => {
    return [name, name === 'controllerId' ? '<chance>' : withoutChance(value)] as const
  })
  return Object.fromEntries(fields)
}
