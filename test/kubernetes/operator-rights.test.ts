import { expect, test } from 'vitest'
import type { AuditEvent } from './control-plane/audit.ts'
import { reserved, wrongRights } from './operator-rights.ts'
import { forbidden } from './permissions.ts'

const reasons = Object.keys(reserved)
const permitted = new Set([...reasons, 'get pods', 'list pods'])
const right = { needed: new Set(['get pods', 'list pods']), forbidden: [] }

test('what operators need and what the chart permits is the same, but for what has a reason', () => {
  expect(wrongRights(permitted, right)).toEqual([])
})

function event(decision: string, verb: string, namespace: string): AuditEvent {
  return {
    verb,
    requestURI: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/logcluster-operator`,
    user: { username: 'system:serviceaccount:n:logcluster' },
    objectRef: { resource: 'leases', apiGroup: 'coordination.k8s.io', namespace },
    requestReceivedTimestamp: '2026-11-28T12:00:00Z',
    annotations: { 'authorization.k8s.io/decision': decision },
  }
}

test('a Lease that is asked for while a release is uninstalled is no missing right; one that never may be is', () => {
  const allowed = event('allow', 'get', 'n')
  const refused = ['get', 'update'].map(verb => event('forbid', verb, 'n'))
  const elsewhere = event('forbid', 'get', 'other')
  expect(forbidden([allowed, ...refused, elsewhere])).toEqual([refused[1], elsewhere])
})

test('a run that saw nothing is wrong', () => {
  expect(wrongRights(permitted, { needed: new Set(), forbidden: [] })).toHaveLength(1)
})

test.for([
  ['a permission that nobody needs', new Set([...permitted, 'delete nodes']), right],
  [
    'a need that is not permitted',
    permitted,
    { ...right, needed: new Set([...right.needed, 'list nodes']) },
  ],
  ['a refusal', permitted, { ...right, forbidden: ['operator-of-clusters: get /api/v1/nodes/n'] }],
  ['a reason for nothing', new Set([...permitted].filter(each => each !== reasons[0])), right],
] as const)('%s is told', ([, may, use]) => {
  expect(wrongRights(may, use)).toHaveLength(1)
})
