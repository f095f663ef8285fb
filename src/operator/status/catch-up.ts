import type { Observed } from '../plan/observed.ts'

/** What replicas of each broker that are not in sync have still to copy, in bytes by Kafka's number, as their leaders tell. */
export function catchUpBytes({ sights }: Pick<Observed, 'sights'>): ReadonlyMap<number, number> {
  const byBroker = new Map<number, number>()
  for (const sight of sights.values()) {
    if (sight.kind !== 'seen') continue
    for (const { brokerId, bytes } of sight.status.catchingUp) {
      byBroker.set(brokerId, (byBroker.get(brokerId) ?? 0) + Number(bytes))
    }
  }
  return byBroker
}

const units = ['Mi', 'Gi', 'Ti', 'Pi'] as const

/**
 * A quantity of two digits, so that what is copied does not write the status at every glance; undefined where it is less than 1Mi, which
 * is over before anybody has read it.
 */
export function roughQuantity(bytes: number): string | undefined {
  let amount = bytes / 2 ** 20
  if (amount < 1) return undefined
  let unit = 0
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1024
    unit++
  }
  return `${Number(amount.toPrecision(2))}${units[unit]}`
}
