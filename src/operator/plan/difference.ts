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

/** Where an object is not as it was wanted. */
export interface Difference {
  /** `spec.template.spec.containers[0].image` */
  readonly path: string
  /** undefined: it is not there. */
  readonly live: unknown
  readonly wanted: unknown
}

/**
 * Whether `live` has to be applied anew: it was last made from another draft, or somebody has changed a field of ours.
 * What the API server fills in, or others add, is none of our business.
 */
export function differs(live: Stored, draft: Draft): boolean {
  return differenceFrom(live, marked(draft)) !== null
}

/** The first field in which `live` is not as a draft with its mark; null where there is none. */
export function differenceFrom(live: Stored, draft: Draft): Difference | null {
  return find(live, draft, { path: '', key: '', above: '' })
}

/** Keys under which texts are quantities, which the API server writes in a form of its own. */
const quantities: ReadonlySet<string> = new Set(['requests', 'limits', 'sizeLimit'])

interface Place {
  readonly path: string
  /** The key here, and that of what holds it; of items that of their list. */
  readonly key: string
  readonly above: string
}

function find(live: unknown, wanted: unknown, at: Place): Difference | null {
  const { path } = at
  if ((live === undefined || live === null) && isEmpty(wanted)) return null
  if (Array.isArray(wanted)) {
    return Array.isArray(live) ? findInList(live, wanted, at) : { path, live, wanted }
  }
  if (typeof wanted === 'object' && wanted !== null) {
    if (typeof live !== 'object' || live === null) return { path, live, wanted }
    for (const [key, value] of Object.entries(wanted)) {
      if (value === undefined) continue
      const below = { path: path === '' ? key : `${path}.${key}`, key, above: at.key }
      const found = find((live as Record<string, unknown>)[key], value, below)
      if (found !== null) return found
    }
    return null
  }
  if (live === wanted) return null
  const isQuantity = quantities.has(at.key) || quantities.has(at.above)
  return isQuantity && areSameQuantity(String(live), String(wanted)) ? null : { path, live, wanted }
}

/** The API server keeps nothing of what is empty (`omitempty`): a text, a list, a map, and what holds only such. */
function isEmpty(wanted: unknown): boolean {
  if (wanted === undefined || wanted === '') return true
  if (Array.isArray(wanted)) return wanted.length === 0
  return typeof wanted === 'object' && wanted !== null && Object.values(wanted).every(isEmpty)
}

function findInList(
  live: readonly unknown[],
  wanted: readonly unknown[],
  at: Place,
): Difference | null {
  const { path, key } = at
  // Others may own it too.
  if (key === 'ownerReferences') {
    const isThere = (each: unknown): boolean => live.some(found => find(found, each, at) === null)
    return wanted.every(isThere) ? null : { path, live, wanted }
  }
  if (live.length !== wanted.length) return { path, live, wanted }
  for (const [index, each] of wanted.entries()) {
    const found = find(live[index], each, { ...at, path: `${path}[${index}]` })
    if (found !== null) return found
  }
  return null
}
