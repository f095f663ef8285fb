import { expect, test } from 'vitest'
import { logClusterSpec, type LogClusterSpecInput } from './cluster.ts'

test('a spec of a name and a size is enough, and has every default', () => {
  const given: LogClusterSpecInput = {
    pools: [{ name: 'main', storage: { volumes: [{ name: 'data', size: '100Gi' }] } }],
  }
  expect(logClusterSpec.parse(given)).toEqual({
    rebalance: { state: 'Active' },
    image: { pullPolicy: 'IfNotPresent' },
    state: 'Running',
    reconciliation: 'Active',
    listeners: [{ name: 'internal', port: 9092, expose: { type: 'Internal' } }],
    config: {},
    pools: [
      {
        name: 'main',
        brokers: 1,
        storage: {
          volumes: [{ name: 'data', size: '100Gi' }],
          retention: { whenDeleted: 'Retain', whenReplaced: 'Retain' },
        },
        resources: { requests: { cpu: '250m', memory: '1Gi' } },
      },
    ],
    placement: { zone: 'Preferred' },
    disruption: { nodeGracePeriod: '5m' },
    metrics: { monitor: { type: 'Annotations', interval: '15s', labels: {} } },
  })
})
