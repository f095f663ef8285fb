import type { Draft, Stored } from '../kubernetes/objects.ts'

/**
 * The whole status of an object, as it is applied. With `this version` it is refused where the object is another by now:
 * for what permits something.
 */
export function statusDraft(
  { apiVersion, kind, metadata }: Stored,
  status: object,
  onlyIf: 'this version' | 'any version',
): Draft {
  const { namespace, name, uid, resourceVersion } = metadata
  const draft = {
    apiVersion,
    kind,
    metadata: {
      ...(namespace === undefined ? {} : { namespace }),
      name,
      uid,
      ...(onlyIf === 'this version' ? { resourceVersion } : {}),
    },
    status,
  }
  return draft
}
