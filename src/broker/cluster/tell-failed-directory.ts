import type { Uuid } from '../../lib/uuid.ts'
import type { OpenedCluster } from './peer-service.ts'

/** A controller that does not answer by then hears of it by the silence that follows. */
const timeoutMs = 5_000

/**
 * Tells the controller that what lies in this broker's directory is in doubt, so that others lead and nobody counts on it
 * (durability.md 3.4). Resolves when that is committed, or when nobody can be told: where the broker is not registered, or is the
 * only one. Never rejects.
 */
export async function tellFailedDirectory(
  cluster: Pick<OpenedCluster, 'ask' | 'brokerId' | 'image' | 'registration'>,
  directoryId: Uuid,
): Promise<void> {
  const { brokerId, registration, image } = cluster
  const brokerEpoch = registration.now
  if (brokerEpoch < 0 || image.brokers.size <= 1) return
  try {
    await cluster.ask({ type: 'failDirectory', brokerId, brokerEpoch, directoryId }, timeoutMs)
  } catch {
    // This broker was the controller, and its office ended: whoever holds it next finds this broker gone.
  }
}
