import type { Fetchers } from './fetcher/fetchers.ts'
import type { FollowerTraffic } from './handlers/fetch/follower-traffic.ts'
import type { Partitions } from './partition/partitions.ts'
import type { FetcherNumbers, FollowerNumbers, ReplicationNumbers } from './telemetry/sources.ts'

interface Sides {
  readonly fetchers: Fetchers
  readonly followerTraffic: FollowerTraffic
  readonly partitions: Partitions
}

/** What metrics tell of replication. */
export function replicationNumbers(sides: Sides): ReplicationNumbers {
  return { fetchers: fetcherNumbers(sides), followers: followerNumbers(sides) }
}

function* fetcherNumbers({ fetchers }: Sides): Iterable<FetcherNumbers> {
  const lags = new Map(Array.from(fetchers.lags(), lag => [lag.leader, lag]))
  for (const { leader, bytes, requests, failures } of fetchers.numbers()) {
    const { partitions = 0, records = 0, seconds = 0 } = lags.get(leader) ?? {}
    const behind = { behindRecords: records, behindSeconds: seconds }
    yield { broker: leader, bytes, requests, failures, partitions, ...behind }
  }
}

function followerNumbers({ followerTraffic, partitions }: Sides): Iterable<FollowerNumbers> {
  const byBroker = new Map<number, { sentBytes: number; lagBytes: number; lagSeconds: number }>()
  for (const [broker, sentBytes] of followerTraffic.sentBytes()) {
    byBroker.set(broker, { sentBytes, lagBytes: 0, lagSeconds: 0 })
  }
  for (const partition of partitions.all()) {
    for (const { brokerId, bytes, seconds } of partition.followersBehind()) {
      const row = byBroker.get(brokerId) ?? { sentBytes: 0, lagBytes: 0, lagSeconds: 0 }
      row.lagBytes = Math.max(row.lagBytes, bytes)
      row.lagSeconds = Math.max(row.lagSeconds, seconds ?? 0)
      byBroker.set(brokerId, row)
    }
  }
  return Array.from(byBroker, ([broker, row]) => ({ broker, ...row }))
}
