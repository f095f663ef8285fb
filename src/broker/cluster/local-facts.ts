import type { MetadataCopy } from '../metadata/copy/metadata-copy.ts'
import type { SpareBlock } from './producer-ids.ts'

/** A start that no registration stands for leads in leader epochs of its own: counted, durably, before anybody sees them. */
export async function countedStarts(copy: MetadataCopy): Promise<number> {
  const unregisteredStarts = copy.local.unregisteredStarts + 1
  await copy.keep({ unregisteredStarts })
  return unregisteredStarts
}

/** The block that the last run left unused, and where this one notes its own. */
export function spareIn(copy: MetadataCopy): SpareBlock {
  return {
    block: copy.local.producerIds,
    keep: producerIds => copy.keep({ producerIds }),
  }
}
