import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CloseReason } from '../../env/network.ts'
import type { AddonConstants, Binding, CounterName } from './binding.ts'
import { nativeForTests } from '../../../test/helpers/native.ts'

/** What the addon exports, against what TypeScript says that it does. */

nativeForTests()
const built = join(import.meta.dirname, '../../../native/build/logcluster.node')
const path = process.env['LOGCLUSTER_NATIVE_FILE'] ?? built
const { constants, counters, frames } = createRequire(import.meta.url)(path) as Binding

const kinds: Record<CloseReason['kind'], true> = {
  peer: true,
  local: true,
  frame: true,
  socket: true,
  'short-file': true,
  callback: true,
}

const counterNames: Record<CounterName, true> = {
  received: true,
  sentBySendfile: true,
  sentByCopy: true,
  held: true,
  starved: true,
}

test('constants are there by the names that TypeScript reads, and nothing else is', () => {
  const names: Record<keyof AddonConstants, true> = {
    sendRowLength: true,
    frameRowLength: true,
    partsPerCall: true,
    pageBytes: true,
    closeKinds: true,
    counters: true,
  }
  expect(Object.keys(constants).toSorted()).toEqual(Object.keys(names).toSorted())
  const { closeKinds, counters: listed, ...numbers } = constants
  for (const number of Object.values(numbers)) expect(number).toBeGreaterThan(0)
  expect(closeKinds.toSorted()).toEqual(Object.keys(kinds).toSorted())
  expect(listed.toSorted()).toEqual(Object.keys(counterNames).toSorted())
})

test('constants cannot be changed', () => {
  for (const each of [constants, constants.closeKinds, constants.counters]) {
    expect(Object.isFrozen(each)).toBe(true)
  }
})

test('what is shared has the size that they say', () => {
  expect(counters).toHaveLength(constants.counters.length)
  expect(frames.length % constants.frameRowLength).toBe(0)
})
