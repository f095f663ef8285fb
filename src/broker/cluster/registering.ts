import { assert } from '../../lib/assert.ts'
import type { Uuid } from '../../lib/uuid.ts'
import { genesisHash } from '../metadata/chain.ts'
import { legacyDirectoryId } from '../metadata/directory-id.ts'
import { featureLevel } from '../metadata/records.ts'
import type { Cursor } from '../metadata/store.ts'
import type { Registration } from './controller/commands.ts'
import type { ControllerShell } from './controller-shell.ts'
import type { ClusterOptions, StartFacts } from './options.ts'

/** What a start of this broker tells the controller of itself. */
export function registrationOf(
  options: ClusterOptions,
  start: { readonly incarnationId: Uuid; readonly facts: StartFacts; readonly cursor: Cursor },
): Registration {
  const { brokerId, rack = null, listeners, peer = null, copy } = options
  const { incarnationId, facts, cursor } = start
  const hasLog = cursor.lastHash !== genesisHash
  return {
    brokerId,
    incarnationId,
    rack,
    listeners,
    peer,
    ...facts,
    featureLevelMax: featureLevel,
    lastSequence: hasLog ? cursor.nextSequence - 1 : 0,
    lastHash: hasLog ? cursor.lastHash : null,
    unregisteredStarts: copy?.local.unregisteredStarts ?? 0,
  }
}

/** Of a start that tells nothing of itself. */
export function plainFacts({ brokerId, directoryId }: ClusterOptions): StartFacts {
  return {
    directoryId: directoryId ?? legacyDirectoryId(brokerId),
    startClass: 'C',
    damaged: [],
  }
}

/** In this broker's own office; its epoch. @throws what ended the office, or why it refused */
export async function registerIn(
  shell: ControllerShell,
  registration: Registration,
): Promise<number> {
  const answer = await shell.ask({ type: 'registerBroker', ...registration })
  if (answer.type === 'refused') throw shell.failure ?? new Error(answer.message)
  assert(answer.type === 'brokerRegistered', 'an answer fits its command')
  return answer.brokerEpoch
}
