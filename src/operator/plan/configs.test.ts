import { expect, test } from 'vitest'
import type { DescribedConfig } from '../brokers/brokers.ts'
import type { BrokerView } from './broker-view.ts'
import { configWork } from './configs.ts'

type Source = DescribedConfig['source']

/** A broker that describes its settings so, and for which those were set before. */
function broker(
  described: Readonly<Record<string, readonly [value: string, source: Source]>>,
  appliedConfig: Readonly<Record<string, string>> = {},
): BrokerView {
  const configs = Object.entries(described).map(([name, [value, source]]) => {
    return [name, { value, source, isReadOnly: false }] as const
  })
  const view = {
    broker: { brokerId: 2 },
    logBroker: { status: { appliedConfig } },
    sight: { kind: 'seen', configs: new Map(configs) },
  }
  return view as unknown as BrokerView
}

const wanted = new Map([['min.insync.replicas', '2']])
const setForAll = { of: { kind: 'all brokers' }, configs: { 'min.insync.replicas': '2' } }

test.for(['default', 'static'] as const)(
  'a setting of the spec that is so at this broker (%s) is set for all brokers: elsewhere it may be another',
  source => {
    const work = configWork(broker({ 'min.insync.replicas': ['2', source] }), wanted)
    expect(work?.changes).toEqual([setForAll])
  },
)

test('one that all brokers were given is set already', () => {
  const work = configWork(broker({ 'min.insync.replicas': ['2', 'dynamic of all'] }), wanted)
  expect(work?.changes).toEqual([])
})

test("one that this broker was given goes, and all brokers' counts", () => {
  const own = broker({ 'min.insync.replicas': ['2', 'dynamic'] })
  const freed = { of: { kind: 'broker', id: 2 }, configs: { 'min.insync.replicas': null } }
  expect(configWork(own, wanted)?.changes).toEqual([freed, setForAll])
})

test('one that was set for the spec, and is not wanted any more, is taken back', () => {
  const found = broker(
    { 'min.insync.replicas': ['2', 'dynamic of all'] },
    Object.fromEntries(wanted),
  )
  const reset = { of: { kind: 'all brokers' }, configs: { 'min.insync.replicas': null } }
  expect(configWork(found, new Map())?.changes).toEqual([reset])
})
