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
