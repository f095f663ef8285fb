/** What the chart permits the operator and no scenario of a whole run brings about, each with why it is permitted all the same. */
export const reserved: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'podmonitors.monitoring.coreos.com',
      'poddisruptionbudgets.policy',
      'rolebindings.rbac.authorization.k8s.io',
      'roles.rbac.authorization.k8s.io',
      'serviceaccounts',
      'services',
      'statefulsets.apps',
    ].map(kind => [`create ${kind}`, 'an apply, in the log a patch, needs it to make the object']),
  ),
  'patch podmonitors.monitoring.coreos.com': 'the kind is not there',
  'delete podmonitors.monitoring.coreos.com': 'the kind is not there',
  'update logclusters.logcluster.dev/finalizers':
    'asked for by OwnerReferencesPermissionEnforcement, which is off by default',
  'patch events.events.k8s.io': 'where one repeats itself',
  'update secrets': 'where spec.passwordsRotatedAt is set',
  'patch pods': 'tells a pod its rack, where spec.rack is given',
  'get namespaces': 'where a topic is to be deleted, and no broker answers',
}

/** What was found of a whole run, as far as it is wrong: sentences. */
export function wrongRights(
  permitted: ReadonlySet<string>,
  use: { readonly needed: ReadonlySet<string>; readonly forbidden: readonly string[] },
): readonly string[] {
  if (use.needed.size === 0) return ['No scenario saw an operator ask anything of an API server.']
  const unused = [...permitted].filter(each => !use.needed.has(each) && !(each in reserved))
  const missing = [...use.needed].filter(each => !permitted.has(each))
  const stale = Object.keys(reserved).filter(each => !permitted.has(each))
  return [
    ...use.forbidden.map(each => `An operator was refused: ${each}`),
    ...missing.map(each => `An operator needed what the chart does not permit: ${each}`),
    ...unused.map(each => `The chart permits what no scenario needs: ${each}`),
    ...stale.map(each => `There is a reason for what the chart does not permit: ${each}`),
  ]
}
