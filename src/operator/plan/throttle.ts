import type { LogCluster } from '../crd/cluster.ts'
import type { WantedSettings } from '../desired/settings.ts'
import { quantityOf } from './quantity.ts'

/**
 * The settings with those that hold back what is copied for a reassignment (KIP-73): running brokers take them, and give them back when
 * the throttle goes. What `spec.config` says of them counts before.
 */
export function withThrottle(
  settings: WantedSettings,
  { spec }: Pick<LogCluster, 'spec'>,
): WantedSettings {
  const bytesPerSecond = quantityOf(spec.rebalance.throttle)
  if (settings.kind !== 'settings' || bytesPerSecond === null) return settings
  const rate = String(Math.max(1, Math.floor(bytesPerSecond)))
  const throttle: readonly [string, string][] = [
    ['leader.replication.throttled.rate', rate],
    ['follower.replication.throttled.rate', rate],
    ['replication.throttled.reassignments.enable', 'true'],
  ]
  return { ...settings, dynamic: new Map([...throttle, ...settings.dynamic]) }
}
