import { expect, test } from 'vitest'
import { reserved, wrongRights } from './operator-rights.ts'

const reasons = Object.keys(reserved)
const permitted = new Set([...reasons, 'get pods', 'list pods'])
const right = { needed: new Set(['get pods', 'list pods']), forbidden: [] }

test('what operators need and what the chart permits is the same, but for what has a reason', () => {
  expect(wrongRights(permitted, right)).toEqual([])
})

test('a Lease that is renewed while a release is uninstalled is no missing right', () => {
  const uri = '/apis/coordination.k8s.io/v1/namespaces/n/leases/logcluster-operator?fieldManager=m'
  const use = { ...right, forbidden: [`system:serviceaccount:n:logcluster: update ${uri}`] }
  expect(wrongRights(permitted, use)).toEqual([])
  const other = { ...right, forbidden: [`system:serviceaccount:n:logcluster: get ${uri}`] }
  expect(wrongRights(permitted, other)).toHaveLength(1)
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
