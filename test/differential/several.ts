import { freePort, startKafka } from '../../tools/kafka.ts'
import { BrokerCluster } from '../helpers/broker-cluster.ts'
import { askScenario } from './ask-all.ts'
import { isList, isStruct, type Json } from './json.ts'
import type { Recorded } from './recorded.ts'
import { severalScenarios } from './requests/several.ts'
import { severalSettings } from './settings.ts'

/** The name of what was recorded. */
export const severalTheme = 'several'

/** Asks Apache Kafka on three nodes, each of them broker and controller. */
export async function askThreeOfKafka(): Promise<Recorded> {
  const ports: number[] = []
  for (let at = 0; at < 6; at++) ports.push(await freePort())
  const voters = [0, 1, 2].map(id => `${id}@127.0.0.1:${ports[id + 3]}`).join()
  const starting = [0, 1, 2].map(id =>
    startKafka({
      port: ports[id]!,
      heapMiB: 400,
      readyMsMax: 180_000,
      properties: {
        ...severalSettings,
        'node.id': String(id),
        'controller.quorum.voters': voters,
        listeners: `PLAINTEXT://127.0.0.1:${ports[id]},CONTROLLER://127.0.0.1:${ports[id + 3]}`,
        'offsets.topic.replication.factor': '3',
      },
    }),
  )
  const nodes = await Promise.all(starting)
  try {
    return await askSeveral(ports.slice(0, 3))
  } finally {
    await Promise.all(nodes.map(node => node.stop()))
  }
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
