import { expect, test } from 'vitest'
import type { Draft, Stored } from '../kubernetes/objects.ts'
import { differs, marked } from './difference.ts'

const draft = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'a', name: 'b', ownerReferences: [{ uid: '1' }] },
  spec: {
    ports: [{ name: 'x', port: 1 }],
    resources: { requests: { cpu: '0.5', memory: '1Gi' } },
  },
} as unknown as Draft

type Live = { metadata: Record<string, unknown>; spec: Record<string, unknown> }

/** What the API server makes of the draft, changed by `change`. */
function live(change: (object: Live) => void = () => {}): Stored {
  const object = structuredClone(marked(draft)) as unknown as Live
  Object.assign(object.metadata, { uid: 'u', resourceVersion: '7' })
  change(object)
  return object as unknown as Stored
}

test('what the API server fills in, and what others add, is no difference', () => {
  expect(differs(live(), draft)).toBe(false)
  const filled = live(({ metadata, spec }) => {
    spec['clusterIP'] = '10.0.0.1'
    spec['ports'] = [{ name: 'x', port: 1, protocol: 'TCP', nodePort: 31_000 }]
    metadata['annotations'] = { ...(metadata['annotations'] as object), theirs: 'x' }
    metadata['ownerReferences'] = [{ uid: '0' }, { uid: '1', controller: true }]
  })
  expect(differs(filled, draft)).toBe(false)
})

test('an amount may be written otherwise, anything else may not', () => {
  const amount = live(({ spec }) => {
    spec['resources'] = { requests: { cpu: '500m', memory: '1024Mi' } }
  })
  expect(differs(amount, draft)).toBe(false)
  const less = live(({ spec }) => {
    spec['resources'] = { requests: { cpu: '400m', memory: '1Gi' } }
  })
  expect(differs(less, draft)).toBe(true)
})

test('a field that somebody changed, took away or added to a list of ours is a difference', () => {
  const port = (ports: unknown) => live(({ spec }) => void (spec['ports'] = ports))
  expect(differs(port([{ name: 'x', port: 2 }]), draft)).toBe(true)
  expect(differs(port([]), draft)).toBe(true)
  expect(
    differs(
      port([
        { name: 'x', port: 1 },
        { name: 'y', port: 2 },
      ]),
      draft,
    ),
  ).toBe(true)
  expect(
    differs(
      live(({ spec }) => delete spec['ports']),
      draft,
    ),
  ).toBe(true)
})

test('a field that is wanted no more is a difference, although what is wanted is there', () => {
  const { spec: _, ...less } = draft as unknown as Live & Draft
  expect(differs(live(), less)).toBe(true)
})
