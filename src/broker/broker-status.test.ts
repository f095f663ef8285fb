import { expect, test } from 'vitest'
import { statusOf, type StatusParts } from './broker-status.ts'

const facts = {
  brokerId: 3,
  version: '1.2.3',
  startedAtMs: 5,
  notReadyReason: null,
  pageCacheSource: 'cachestat',
}

/** Of a cluster no more than the status looks at. */
function withCluster(cluster: object): StatusParts {
  const image = { clusterId: 'c', brokers: new Map(), topics: () => [] }
  return { cluster: { image, ...cluster } as never }
}

test('before anything is up the status says so', () => {
  expect(statusOf({ ...facts, notReadyReason: 'It starts.' }, {})).toMatchObject({
    brokerId: 3,
    isReady: false,
    notReadyReason: 'It starts.',
    clusterId: '',
    isMetadataWaiting: false,
    quarantineReason: null,
    strayCount: 0,
    offlinePartitions: [],
  })
})

test.each([
  [{ isWaiting: false, standsAlone: null }, false, null],
  [{ isWaiting: true, standsAlone: null }, true, null],
  [{ isWaiting: false, standsAlone: { kind: 'outage', message: 'Away.' } }, true, null],
  [{ isWaiting: false, standsAlone: { kind: 'quarantine', message: 'Back.' } }, false, 'Back.'],
])('what the metadata store does not do shows: %j', (cluster, isMetadataWaiting, quarantine) => {
  expect(statusOf(facts, withCluster(cluster))).toMatchObject({
    isReady: true,
    isMetadataWaiting,
    quarantineReason: quarantine,
  })
})

test('what has still to be copied is counted by follower, and of nobody in sync', () => {
  const partition = (isr: readonly number[], ...behind: [number, number][]) => ({
    role: { isr },
    followersBehind: () => behind.map(([brokerId, bytes]) => ({ brokerId, bytes, seconds: null })),
  })
  const partitions = [
    partition([3, 1], [1, 500], [2, 70]),
    partition([3], [2, 30], [1, 4]),
    { role: null, followersBehind: () => [] },
  ]
  const parts = { partitions: { all: () => partitions, offline: () => [] } as never }
  expect(statusOf(facts, parts).catchingUp).toEqual([
    { brokerId: 2, bytes: 100 },
    { brokerId: 1, bytes: 4 },
  ])
})
