import { StoreError } from '../store.ts'
import { damaged, refuseDamage } from './damage.ts'
import type { Placed } from './genesis.ts'
import type { Unavailable } from './look.ts'
import { placeName, type Content, type Decision, type Request } from './ring.ts'

/** Looks at the objects, and updates of those that are not filled, before that is left for later. */
const roundCountMax = 5

/**
 * Fills a ring that waits with `contents`: chunks first, so that the base never tells of what is not there. A slot that is neither
 * waiting nor has its content is another broker's work.
 * @throws StoreError where an object is missing or foreign, or the ring is not one that waits
 */
export function* fillRing(contents: readonly Placed[]): Decision<'filled' | Unavailable> {
  const groups = [
    contents.filter(({ place }) => place.type === 'chunk'),
    contents.filter(({ place }) => place.type === 'slot'),
  ]
  for (const group of groups) {
    const stopped = yield* fillGroup(group)
    if (stopped !== null) return stopped
  }
  return 'filled'
}

function* fillGroup(group: readonly Placed[]): Decision<Unavailable | null> {
  let reason = 'others change the ring'
  for (let round = 0; round < roundCountMax; round++) {
    const replies = yield group.map(({ place }) => ({ type: 'get', place }))
    const updates: Request[] = []
    for (const [at, reply] of replies.entries()) {
      const { place, content } = group[at]!
      const sound = refuseDamage(place, reply)
      if (sound.type === 'unavailable') return sound
      if (sound.type !== 'found') throw damaged(place, `it was answered for with ${sound.type}`)
      if (isSame(sound.content, content)) continue
      if (!isWaiting(sound.content)) throw filledByOthers(placeName(place))
      updates.push({ type: 'put', place, content, over: sound.version })
    }
    if (updates.length === 0) return null
    const written = yield updates
    for (const [at, reply] of written.entries()) {
      const sound = refuseDamage(updates[at]!.place, reply)
      if (sound.type === 'unavailable') reason = sound.reason
    }
  }
  return { type: 'unavailable', isUnknown: false, reason, retryAfterMs: null }
}

function isWaiting(content: Content): boolean {
  return 'kind' in content ? content.kind === 'awaited' : content.sequence === 0
}

function isSame(a: Content, b: Content): boolean {
  if ('kind' in a)
    return 'kind' in b && a.kind === b.kind && a.sequence === b.sequence && a.hash === b.hash
  return !('kind' in b) && a.sequence === b.sequence && a.contentHash === b.contentHash
}

function filledByOthers(name: string): StoreError {
  return new StoreError(
    'unsuitable',
    `ConfigMap ...-${name} of the metadata ring does not wait for a broker's copy, or was filled from another one. ` +
      'Nothing was changed in it.',
  )
}
