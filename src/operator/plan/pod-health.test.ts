import { describe, expect, test } from 'vitest'
import type { Pod } from '../kubernetes/objects.ts'
import { healthOf, parseRefusal } from './pod-health.ts'

function pod(status: object, deletionTimestamp?: string): Pod {
  const metadata = { namespace: 'a', name: 'b', uid: 'c', resourceVersion: '1' }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: deletionTimestamp === undefined ? metadata : { ...metadata, deletionTimestamp },
    status,
  } as unknown as Pod
}

function container(state: object, more: object = {}): object {
  return { containerStatuses: [{ ready: false, state, ...more }] }
}

const refusal = '{"reason":"DiskEmpty","message":"The disk is empty."}'

describe('how a pod is', () => {
  test.for([
    ['absent', null],
    ['ending', pod({}, '2026-01-01T00:00:00Z')],
    ['starting', pod({ phase: 'Pending' })],
    ['starting', pod(container({ waiting: { reason: 'ContainerCreating' } }))],
    ['running', pod(container({ running: {} }))],
    [
      'ready',
      pod({ ...container({ running: {} }), conditions: [{ type: 'Ready', status: 'True' }] }),
    ],
  ] as const)('%s', ([kind, given]) => expect(healthOf(given)).toEqual({ kind }))

  test('no node takes it, in the words of the scheduler', () => {
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: 'no',
    }
    expect(healthOf(pod({ conditions: [condition] }))).toEqual({
      kind: 'unschedulable',
      message: 'no',
    })
  })

  test('the broker refused to start, in its own words, and not in those of kubelet', () => {
    const lastState = { terminated: { exitCode: 1, message: refusal } }
    const waiting = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }
    expect(healthOf(pod(container(waiting, { lastState })))).toEqual({
      kind: 'broken',
      reason: 'DiskEmpty',
      message: 'The disk is empty.',
    })
  })

  test('a refusal of an earlier start is over once it runs', () => {
    const lastState = { terminated: { exitCode: 1, message: refusal } }
    expect(healthOf(pod(container({ running: {} }, { lastState })))).toEqual({ kind: 'running' })
  })

  test('an image that nobody has', () => {
    const waiting = { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } }
    expect(healthOf(pod(container(waiting)))).toEqual({
      kind: 'broken',
      reason: 'ImagePullBackOff',
      message: 'no such image',
    })
  })
})

test('only a line of JSON with a reason and a message is a refusal', () => {
  expect(parseRefusal(refusal)).toEqual({ reason: 'DiskEmpty', message: 'The disk is empty.' })
  expect(parseRefusal(`noise\n${refusal}\n`)?.reason).toBe('DiskEmpty')
  for (const text of ['', 'Segmentation fault', '{}', '[]', 'null', '{"reason":1,"message":"x"}']) {
    expect(parseRefusal(text)).toBeNull()
  }
  expect(parseRefusal('{"reason":"not a word","message":"x"}')).toBeNull()
})
