import type { Env } from '../env/env.ts'
import { BacklogAsker } from './ask-backlogs.ts'
import type { Cluster } from './cluster/cluster.ts'
import type { Settings } from './config/settings.ts'
import type { Coordinator } from './coordinator/coordinator.ts'
import { Elsewhere } from './insight/elsewhere.ts'
import type { Insight } from './insight/insight.ts'
import { isSoleStore } from './open-store.ts'
import type { Partitions } from './partition/partitions.ts'
import type { Metrics } from './telemetry/metrics.ts'

interface WatchedGroups {
  readonly env: Pick<Env, 'clock'>
  readonly settings: Settings
  readonly insight: Insight
  readonly metrics: Metrics
  readonly cluster: Cluster
  readonly partitions: Partitions
  readonly coordinator: Coordinator
}

/** Offsets that are asked for where series by group are switched off: `/v1/status` tells of groups all the same. */
const offsetsMaxWithoutSeries = 1_000

/** Groups are up: metrics and status tell of them from here on. Gives what asks other brokers; it ends with the broker. */
export function watchGroups(watched: WatchedGroups): Pick<BacklogAsker, 'stop'> {
  const { env, settings, insight, metrics, cluster, partitions, coordinator } = watched
  const { clock } = env
  const seriesMax = settings.metricsGroupSeriesMax
  const offsetsMax = seriesMax === 0 ? offsetsMaxWithoutSeries : seriesMax
  const elsewhere = new Elsewhere({ clock, partitions, offsetsMax })
  const hasTopic = (name: string): boolean => cluster.image.topicByName(name) !== undefined
  insight.watch({ coordinator, partitions, elsewhere, hasTopic })
  const questions = () => insight.questions()
  const asker = new BacklogAsker({ clock, cluster, elsewhere, questions })
  if (!isSoleStore(settings)) asker.start()
  if (seriesMax > 0) {
    metrics.attach({
      groups: () => insight.groups(),
      lags: () => insight.lags(),
      committed: () => insight.committed(),
      groupSeriesMax: () => seriesMax,
    })
  }
  return asker
}
