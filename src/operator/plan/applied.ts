import type { Draft, Stored } from '../kubernetes/objects.ts'
import { differs, marked } from './difference.ts'
import { resourceOf } from './kinds.ts'
import type { Observed } from './observed.ts'
import { isOf } from './ownership.ts'
import type { Step } from './step.ts'

/** The apply of `draft`, where it is not as it should be. One of its name that is not ours is looked at by whoever makes it. */
export function applied(
  { services, others, cluster }: Pick<Observed, 'services' | 'others' | 'cluster'>,
  draft: Draft,
): Step[] {
  const live = [...services, ...others].find(
    (each: Stored) =>
      each.kind === draft.kind && each.metadata.name === draft.metadata.name && isOf(each, cluster),
  )
  if (live !== undefined && !differs(live, draft)) return []
  return [
    {
      do: 'apply',
      resource: resourceOf(draft),
      draft: over(live ?? null, draft),
      what: `${draft.kind} ${draft.metadata.name}`,
      because: live === undefined ? 'it is not there' : 'it is not as it should be',
    },
  ]
}

/** What is applied over `live` and no other object that has come by its name; where that is null, it is to be made. */
export function over(live: Stored | null, draft: Draft): Draft {
  const made = marked(draft)
  return live === null ? made : exactlyOver(live, made)
}

export function exactlyOver({ metadata: { uid } }: Stored, draft: Draft): Draft {
  return { ...draft, metadata: { ...draft.metadata, uid } }
}
