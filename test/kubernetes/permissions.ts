import { parseAllDocuments } from 'yaml'
import type { AuditEvent } from './control-plane/audit.ts'

interface Rule {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly verbs: readonly string[]
}

interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly rules?: readonly Rule[]
  readonly roleRef?: { readonly kind: string; readonly name: string }
  readonly subjects?: readonly { readonly name: string; readonly namespace?: string }[]
}

/** `patch statefulsets.apps`, as `kubectl auth can-i` takes it, of all that a chart's manifest gives to a ServiceAccount. */
export function permitted(
  manifest: string,
  account: { readonly name: string; readonly namespace: string },
): ReadonlySet<string> {
  const objects = parseAllDocuments(manifest)
    .map(document => document.toJS() as Rendered | null)
    .filter(object => object !== null)
  const roles = objects
    .filter(({ subjects }) =>
      subjects?.some(
        ({ name, namespace }) => name === account.name && namespace === account.namespace,
      ),
    )
    .map(({ roleRef }) => `${roleRef?.kind} ${roleRef?.name}`)
  const rules = objects
    .filter(({ kind, metadata }) => roles.includes(`${kind} ${metadata.name}`))
    .flatMap(object => object.rules ?? [])
  return new Set(rules.flatMap(permissionsOf))
}

function permissionsOf({ apiGroups = [], resources = [], verbs }: Rule): string[] {
  return apiGroups.flatMap(apiGroup =>
    resources.flatMap(each => {
      const [resource = '', subresource] = each.split('/')
      return verbs.map(verb => permission(verb, { resource, subresource, apiGroup }))
    }),
  )
}

/** What these requests needed; of those for no resource (versions, discovery) nothing: everybody may send them. */
export function needed(requests: readonly AuditEvent[]): ReadonlySet<string> {
  return new Set(
    requests.flatMap(({ verb, objectRef }) =>
      objectRef === undefined ? [] : [permission(verb, objectRef)],
    ),
  )
}

interface Resource {
  readonly resource: string
  readonly subresource?: string | undefined
  readonly apiGroup?: string | undefined
}

function permission(verb: string, { resource, subresource, apiGroup = '' }: Resource): string {
  const group = apiGroup === '' ? '' : `.${apiGroup}`
  const part = subresource === undefined ? '' : `/${subresource}`
  return `${verb} ${resource}${group}${part}`
}

/**
 * Those that no role permitted, at any time: `helm uninstall` takes a release's rights before its process has ended, and an API
 * server that has just started refuses what it has not read the roles of. What admission refuses has the same status, 403, and is none
 * of them: an object for a namespace that is being terminated, which is a race that nobody can win.
 */
export function forbidden(requests: readonly AuditEvent[]): readonly AuditEvent[] {
  const decided = (decision: string) =>
    requests.filter(
      ({ annotations }) => annotations?.['authorization.k8s.io/decision'] === decision,
    )
  const allowed = new Set(decided('allow').map(asked))
  return decided('forbid').filter(event => !allowed.has(asked(event)))
}

/** Who wanted to do what, and where. */
function asked({ user, verb, requestURI, objectRef }: AuditEvent): string {
  const what = objectRef === undefined ? `${verb} ${requestURI}` : permission(verb, objectRef)
  return `${user.username}: ${what} in ${objectRef?.namespace ?? ''}`
}
