import type { MetadataImage } from '../../metadata/image.ts'
import { type Decision, type Mistake, mistake } from './decision.ts'
import { refusalOf } from './refusals.ts'

/** A broker that does not come back is forgotten; not before its replicas are elsewhere. */
export function decideUnregisterBroker(before: MetadataImage, brokerId: number): Decision {
  const wrong = problemOf(before, brokerId)
  if (wrong !== null) return { records: [], image: before, answer: refusalOf(wrong) }
  const record = { type: 'brokerUnregistered', brokerId } as const
  return {
    records: [record],
    image: before.apply(record),
    answer: { type: 'brokerUnregistered' },
  }
}

function problemOf(image: MetadataImage, brokerId: number): Mistake | null {
  const broker = image.brokers.get(brokerId)
  if (broker === undefined) {
    return mistake('BROKER_ID_NOT_REGISTERED', `Broker ${brokerId} is not registered.`)
  }
  if (!broker.isFenced) {
    return mistake('POLICY_VIOLATION', `Broker ${brokerId} runs. Stop it first.`)
  }
  for (const { name, partitions } of image.topics()) {
    const held = partitions.find(({ replicas }) => replicas.includes(brokerId))
    if (held === undefined) continue
    return mistake(
      'POLICY_VIOLATION',
      `Broker ${brokerId} holds ${name}-${held.index}, and perhaps more. Reassign its partitions to others first.`,
    )
  }
  return null
}
