import type { Registry } from 'prom-client'
import { counter, gauge, type Instrument } from './instruments.ts'
import type { ClusterNumbers, ClusterState, MetricSources } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/**
 * Metrics of the cluster as a whole. What is a fact of the cluster and of no broker is told by the active controller alone, so
 * that the sum over all brokers is the truth once.
 */
export function clusterInstruments(registry: Registry, sources: Sources): void {
  for (const row of controllerGauges(sources)) gauge(registry, row)
  for (const row of stateGauges(sources)) gauge(registry, row)
  for (const row of brokerGauges(sources)) gauge(registry, row)
  for (const row of counters(sources)) counter(registry, row)
}

function controllerGauges(sources: Sources): Instrument[] {
  const of = (value: (numbers: ClusterNumbers) => number) =>
    function* (): Iterable<Sample> {
      const numbers = sources().cluster?.()
      if (numbers !== undefined) yield { value: value(numbers) }
    }
  return [
    {
      name: 'logcluster_active_controller',
      help: '1 on the broker that is the active controller, else 0: the sum over a cluster is 1.',
      samples: of(({ isController }) => Number(isController)),
    },
    {
      name: 'logcluster_controller_id',
      help: 'The broker that is the controller, as far as this one knows; -1 where it knows none.',
      samples: of(({ controllerId }) => controllerId),
    },
    {
      name: 'logcluster_controller_epoch',
      help: 'Epoch of the controller in the metadata that this broker has applied; every change of controller raises it.',
      samples: of(({ controllerEpoch }) => controllerEpoch),
    },
    {
      name: 'logcluster_metadata_applied_sequence',
      help: 'The last record of the metadata log that this broker has applied.',
      samples: of(({ appliedSequence }) => appliedSequence),
    },
  ]
}

/** By the active controller. */
function stateGauges(sources: Sources): Instrument[] {
  const of = (value: (state: ClusterState) => number) =>
    function* (): Iterable<Sample> {
      const state = sources().cluster?.().state ?? null
      if (state !== null) yield { value: value(state) }
    }
  return [
    {
      name: 'logcluster_metadata_log_end_sequence',
      help: 'The last record of the metadata log. Told by the active controller.',
      samples: of(({ endSequence }) => endSequence),
    },
    {
      name: 'logcluster_cluster_topics',
      help: 'Topics, internal ones too. Told by the active controller.',
      samples: of(({ topics }) => topics),
    },
    {
      name: 'logcluster_cluster_partitions',
      help: 'Partitions of all topics, internal ones too. Told by the active controller.',
      samples: of(({ partitions }) => partitions),
    },
    {
      name: 'logcluster_cluster_leaderless_partitions',
      help: 'Partitions that nobody leads: they can be neither written nor read. Told by the active controller.',
      samples: of(({ leaderless }) => leaderless),
    },
    {
      name: 'logcluster_cluster_recovering_partitions',
      help: 'Partitions whose leader was elected of no certain copy and has not begun to serve. Told by the active controller.',
      samples: of(({ recovering }) => recovering),
    },
    {
      name: 'logcluster_cluster_not_preferred_partitions',
      help: 'Partitions that somebody else leads than their first replica. Told by the active controller.',
      samples: of(({ notPreferred }) => notPreferred),
    },
    {
      name: 'logcluster_cluster_reassigning_partitions',
      help: 'Partitions that are on their way to other brokers. Told by the active controller.',
      samples: of(({ reassigning }) => reassigning),
    },
    {
      name: 'logcluster_cluster_quarantined',
      help: '1 while the controller decides nothing, because a broker followed another metadata log than this one. Told by the active controller.',
      samples: of(({ isQuarantined }) => Number(isQuarantined)),
    },
  ]
}

/** By the active controller. */
function brokerGauges(sources: Sources): Instrument[] {
  type Row = ClusterState['brokers'][number]
  const of = (value: (row: Row) => boolean) =>
    function* (): Iterable<Sample> {
      for (const row of sources().cluster?.().state?.brokers ?? []) {
        yield { labels: { broker: String(row.id) }, value: Number(value(row)) }
      }
    }
  const labels = ['broker']
  return [
    {
      name: 'logcluster_cluster_broker_fenced',
      help: '1 for a registered broker that neither leads nor is in sync, because it is not heard of or not ready. Told by the active controller.',
      labels,
      samples: of(({ isFenced }) => isFenced),
    },
    {
      name: 'logcluster_cluster_broker_shutting_down',
      help: '1 for a registered broker that hands over what it leads. Told by the active controller.',
      labels,
      samples: of(({ isShuttingDown }) => isShuttingDown),
    },
    {
      name: 'logcluster_cluster_broker_directory_failed',
      help: '1 for a registered broker whose data directory failed: it comes back with another one only. Told by the active controller.',
      labels,
      samples: of(({ hasFailedDirectory }) => hasFailedDirectory),
    },
  ]
}

function counters(sources: Sources): Instrument[] {
  return [
    {
      name: 'logcluster_controller_terms_total',
      help: 'Times that this broker became the controller.',
      samples: () => {
        const terms = sources().cluster?.().terms
        return terms === undefined ? [] : [{ value: terms }]
      },
    },
    {
      name: 'logcluster_leader_elections_total',
      help: 'Leaders that this broker elected as the controller, by kind: clean (of those in sync), preferred (so, and the one before could have gone on), elr (not in sync, and has all that is committed), recovered (may have lost its end, and was last known to have it), unclean (any).',
      labels: ['kind'],
      *samples() {
        for (const [kind, value] of sources().cluster?.().elections ?? []) {
          yield { labels: { kind }, value }
        }
      },
    },
    {
      name: 'logcluster_possible_data_loss_total',
      help: 'Those of them after which records that were acknowledged may be gone, by topic.',
      labels: ['topic'],
      *samples() {
        for (const [topic, value] of sources().cluster?.().possibleLosses ?? []) {
          yield { labels: { topic }, value }
        }
      },
    },
  ]
}
