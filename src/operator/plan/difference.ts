import { hashOf } from '../desired/hash.ts'
import type { Draft, Stored } from '../kubernetes/objects.ts'
import { areSameQuantity } from './quantity.ts'

/** What was last applied to an object, as a hash: by it a field is noticed that is wanted no more. */
const appliedAnnotation = 'logcluster.dev/applied'

/** `draft` with the mark of what is applied. */
export function marked(draft: Draft): Draft {
  const annotations = { ...draft.metadata.annotations, [appliedAnnotation]: hashOf(draft) }
  return { ...draft, metadata: { ...draft.metadata, annotations } }
}

/**
 * Whether `live` has to be applied anew: it was last made from another draft, or somebody has changed a field of ours.
 * What the API server fills in, or others add, is none of our business.
 */
export function differs(live: Stored, draft: Draft): boolean {
  return !holds(live, marked(draft), '')
}

/** Keys under which texts are quantities, which the API server writes in a form of its own. */
const quantities: ReadonlySet<string> = new Set(['requests', 'limits', 'sizeLimit'])

function holds(live: unknown, wanted: unknown, key: string, above = ''): boolean {
  if (Array.isArray(wanted)) return Array.isArray(live) && holdsItems(live, wanted, key)
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof live !== 'object' || live === null) return Object.keys(wanted).length === 0
    return Object.entries(wanted).every(
      ([each, value]) =>
        value === undefined || holds((live as Record<string, unknown>)[each], value, each, key),
    )
  }
  if (live === wanted) return true
  const isQuantity = quantities.has(key) || quantities.has(above)
  return isQuantity && areSameQuantity(String(live), String(wanted))
}

function holdsItems(live: readonly unknown[], wanted: readonly unknown[], key: string): boolean {
  // Others may own it too.
  if (key === 'ownerReferences') {
    return wanted.every(each => live.some(found => holds(found, each, key)))
  }
  return live.length === wanted.length && wanted.every((each, at) => holds(live[at], each, key))
}
