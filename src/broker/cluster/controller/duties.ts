import type { MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import { fenced, shuttingDown, tidied, unfenced } from './broker-states.ts'
import { balanced } from './elect-leaders.ts'
import type { BrokerDuty } from './sessions.ts'

/** What the controller does without being asked. */
export type Duty =
  | { readonly type: 'unfence' | 'shutDown'; readonly brokerId: number }
  /** All at once. */
  | { readonly type: 'fence'; readonly brokers: readonly BrokerDuty[] }
  /** Once, at first. */
  | { readonly type: 'tidy' }
  /** Now and then. */
  | { readonly type: 'balance' }
  | { readonly type: 'raiseFeatureLevel'; readonly level: number }

export function recordsOfDuty(image: MetadataImage, duty: Duty): MetadataRecord[] {
  switch (duty.type) {
    case 'tidy':
      return tidied(image)
    case 'balance':
      return balanced(image)
    case 'raiseFeatureLevel':
      return [{ type: 'featureLevelChanged', level: duty.level }]
    case 'fence':
      return fenced(
        image,
        duty.brokers.map(({ brokerId }) => image.brokers.get(brokerId)!),
      )
    case 'unfence':
      return unfenced(image, image.brokers.get(duty.brokerId)!)
    case 'shutDown':
      return shuttingDown(image, image.brokers.get(duty.brokerId)!)
  }
}

/** What is to be done about brokers, who are to be fenced together. */
export function brokerDuties(duties: readonly BrokerDuty[]): Duty[] {
  const brokers = duties.filter(({ type }) => type === 'fence')
  const others = duties.flatMap(({ type, brokerId }) =>
    type === 'fence' ? [] : [{ type, brokerId }],
  )
  return brokers.length > 0 ? [{ type: 'fence', brokers }, ...others] : others
}

/** The level that every registered broker reads, up to what this version writes; null where it is finalized already. */
export function dueFeatureLevel(image: MetadataImage, levelMax: number): number | null {
  const levels = Array.from(image.brokers.values(), broker => broker.featureLevelMax)
  if (levels.length === 0) return null
  const level = Math.min(levelMax, ...levels)
  return level > image.featureLevel ? level : null
}
