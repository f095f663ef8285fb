import { expect, test } from 'vitest'
import type { DirectoryProperties } from '../log/directory/identity.ts'
import { decideAdmission, type Admission, type IdentityReading } from './admission.ts'

const claimant = { brokerId: 3, clusterId: 'cluster', path: '/data' }
const own: DirectoryProperties = {
  clusterId: 'cluster',
  brokerId: 3,
  directoryId: 'disk-a',
  incarnation: 2,
  isRecorded: true,
  listsLogs: true,
}
const fresh = { ...own, isRecorded: false }
const byHand = { ...own, incarnation: null }

function recorded(directoryId: string, mayFormat: boolean, incarnation = 2): IdentityReading {
  const identity = { clusterId: 'cluster', brokerId: 3, incarnation, directoryId, mayFormat }
  return { kind: 'found', identity }
}

const silent: IdentityReading = { kind: 'unavailable', reason: 'nobody answers' }
const gone: IdentityReading = { kind: 'missing', reason: 'there is none' }
const odd: IdentityReading = { kind: 'damaged', reason: 'it is odd' }
const unused: IdentityReading = { kind: 'unused' }

type Case = [
  string,
  DirectoryProperties | null,
  IdentityReading,
  Admission['type'],
  (RegExp | string)?,
]

test.each<Case>([
  ['an empty disk, permitted', null, recorded('', true), 'format'],
  ['an empty disk, not permitted', null, recorded('', false), 'refuse', 'DiskEmpty'],
  [
    'an empty disk where another is recorded',
    null,
    recorded('disk-a', false),
    'refuse',
    'DiskEmpty',
  ],
  [
    'an empty disk where another is recorded, and the permission still there',
    null,
    recorded('disk-a', true),
    'refuse',
    'DiskEmpty',
  ],
  ['an empty disk, and nobody answers', null, silent, 'wait', /nobody answers/],
  ['an empty disk without a record', null, gone, 'wait', /there is none/],
  ['an empty disk with a record that is odd', null, odd, 'wait', /it is odd/],
  ['an empty disk that nobody records', null, unused, 'format'],

  ['the disk that is recorded', own, recorded('disk-a', false), 'open'],
  ['the same before it says so itself', fresh, recorded('disk-a', false), 'open'],
  ['one that was formatted by hand', byHand, recorded('disk-a', false), 'open'],
  ['one that is not recorded yet', fresh, recorded('', true), 'openUnrecorded', /recorded/],
  [
    'one whose permission is still there',
    fresh,
    recorded('disk-a', true),
    'openUnrecorded',
    /any more/,
  ],
  ['an adopted one', own, recorded('', false), 'openUnrecorded', /recorded/],
  ['a recorded one, and nobody answers', own, silent, 'open'],
  ['a recorded one without a record', own, gone, 'open'],
  ['a fresh one, and nobody answers', fresh, silent, 'openUnrecorded', /nobody answers/],
  ['a fresh one without a record', fresh, gone, 'openUnrecorded', /there is none/],
  ['one that nobody records', own, unused, 'open'],

  ['another disk', own, recorded('disk-b', false), 'refuse', 'DiskForeign'],
  ['another disk, with a permission', own, recorded('disk-b', true), 'refuse', 'DiskForeign'],
  ['one of an earlier incarnation', own, recorded('', true, 3), 'refuse', 'DiskOfOtherIncarnation'],
  [
    'one of a later incarnation',
    own,
    recorded('disk-a', false, 1),
    'refuse',
    'DiskOfOtherIncarnation',
  ],
  [
    'one of another cluster',
    { ...own, clusterId: 'x' },
    recorded('', true),
    'refuse',
    'DiskForeign',
  ],
  ['one of another broker', { ...own, brokerId: 4 }, recorded('', true), 'refuse', 'DiskForeign'],
  ['one of another cluster, unasked', { ...own, clusterId: 'x' }, silent, 'refuse', 'DiskForeign'],
  [
    'one of another cluster that nobody records',
    { ...own, clusterId: 'x' },
    unused,
    'refuse',
    'DiskForeign',
  ],
])('%s', (...[, disk, reading, type, what]) => {
  const admission = decideAdmission(disk, reading, claimant)
  expect(admission.type).toBe(type)
  if (admission.type === 'refuse') {
    expect(admission.reason).toBe(what)
    expect(admission.message).toMatch(/Nothing was written to it\./)
  } else if ('message' in admission) expect(admission.message).toMatch(what!)
})

test('a record of another broker or cluster is none of this one', () => {
  for (const other of [{ brokerId: 4 }, { clusterId: 'x' }]) {
    const identity = {
      clusterId: 'cluster',
      brokerId: 3,
      incarnation: 1,
      directoryId: '',
      mayFormat: true,
    }
    const reading: IdentityReading = { kind: 'found', identity: { ...identity, ...other } }
    for (const disk of [null, own]) {
      const admission = decideAdmission(disk, reading, claimant)
      expect(admission).toMatchObject({ type: 'refuse', reason: 'IdentityForeign' })
    }
  }
})

test('without cluster.id the record tells the cluster, and without either any will do', () => {
  const any = { ...claimant, clusterId: '' }
  expect(decideAdmission(own, recorded('disk-a', false), any).type).toBe('open')
  const other = { ...own, clusterId: 'x' }
  expect(decideAdmission(other, recorded('disk-a', false), any).type).toBe('refuse')
  expect(decideAdmission(other, unused, any).type).toBe('open')
})

test('the incarnation of the permission is the one that the disk gets', () => {
  expect(decideAdmission(null, recorded('', true, 7), claimant)).toEqual({
    type: 'format',
    incarnation: 7,
  })
  expect(decideAdmission(null, unused, claimant)).toEqual({ type: 'format', incarnation: null })
})
