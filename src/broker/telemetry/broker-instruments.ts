import type { Registry } from 'prom-client'
import { counter, gauge, type Instrument } from './instruments.ts'
import type { LogNumbers, MetricSources, StorageNumbers, TopicAppends } from './sources.ts'
import type { Sample } from './tally.ts'

type Sources = () => Partial<MetricSources>

/** Metrics of records, logs and the network. Names are stable: dashboards and alerts stand on them. */
export function brokerInstruments(registry: Registry, sources: Sources): void {
  for (const row of sentCounters(sources)) counter(registry, row)
  for (const row of [...appendCounters(sources), ...stallCounters(sources)]) counter(registry, row)
  for (const row of [...logGauges(sources), ...storageGauges(sources)]) gauge(registry, row)
  for (const row of infoGauges(sources)) gauge(registry, row)
}

function sentCounters(sources: Sources): Instrument[] {
  return [
    {
      name: 'logcluster_page_cache_sent_bytes_total',
      help: 'Bytes of segments sent to consumers, by topic, and by group where that is certain: at the broker that coordinates it.',
      labels: ['topic', 'group'],
      *samples() {
        for (const { topic, group, sentBytes } of sources().sent?.() ?? []) {
          yield { labels: { topic, group }, value: sentBytes }
        }
      },
    },
    {
      name: 'logcluster_page_cache_hit_bytes_total',
      help: 'Those of them that no device had to deliver; absent where it cannot be measured.',
      labels: ['topic', 'group'],
      *samples() {
        for (const { topic, group, hitBytes } of sources().sent?.() ?? []) {
          if (hitBytes !== null) yield { labels: { topic, group }, value: hitBytes }
        }
      },
    },
    {
      name: 'logcluster_sent_bytes_total',
      help: 'Bytes sent to all sockets, by way: sendfile(2), or copied.',
      labels: ['path'],
      samples: () => {
        const network = sources().network?.()
        if (network === undefined) return []
        return [
          { labels: { path: 'sendfile' }, value: network.bytesSendfile },
          { labels: { path: 'copied' }, value: network.bytesCopied },
        ]
      },
    },
    {
      name: 'logcluster_copied_bytes_total',
      help: 'Bytes of records copied in JavaScript, by reason.',
      labels: ['reason'],
      *samples() {
        for (const [reason, value] of Object.entries(sources().copied?.() ?? {})) {
          yield { labels: { reason }, value }
        }
      },
    },
    {
      name: 'logcluster_received_bytes_total',
      help: 'Bytes received from all sockets.',
      samples: () => ofOne(sources().network?.(), network => network.bytesReceived),
    },
  ]
}

function appendCounters(sources: Sources): Instrument[] {
  const byTopic = (value: (row: TopicAppends) => number) =>
    function* (): Iterable<Sample> {
      for (const row of sources().appends?.() ?? []) {
        yield { labels: { topic: row.topic }, value: value(row) }
      }
    }
  return [
    {
      name: 'logcluster_appended_bytes_total',
      help: 'Bytes appended to logs, by topic, while the broker has a partition of it.',
      labels: ['topic'],
      samples: byTopic(row => row.bytes),
    },
    {
      name: 'logcluster_appended_batches_total',
      help: 'Batches appended to logs, by topic, while the broker has a partition of it.',
      labels: ['topic'],
      samples: byTopic(row => row.batches),
    },
  ]
}

function stallCounters(sources: Sources): Instrument[] {
  return [
    {
      name: 'logcluster_write_stalls_total',
      help: 'Appends during which the kernel made the event loop wait.',
      samples: () => ofOne(sources().storage?.(), storage => storage.writeStalls),
    },
    {
      name: 'logcluster_write_stall_seconds_total',
      help: 'Time that those appends took together.',
      samples: () => ofOne(sources().storage?.(), storage => storage.writeStallSeconds),
    },
    {
      name: 'logcluster_thread_writes_total',
      help: 'Appends that a thread wrote, because one of the same log had stalled within the last second.',
      samples: () => ofOne(sources().storage?.(), storage => storage.threadWrites),
    },
    {
      name: 'logcluster_request_memory_waits_total',
      help: 'Times that a connection was not read on because requests filled their memory.',
      samples: () => ofOne(sources().network?.(), network => network.requestMemoryWaits),
    },
  ]
}

function logGauges(sources: Sources): Instrument[] {
  const labels = ['topic', 'partition']
  const byLog = (value: (row: LogNumbers) => number) =>
    function* (): Iterable<Sample> {
      for (const row of sources().logs?.() ?? []) {
        yield {
          labels: { topic: row.topic, partition: String(row.partition) },
          value: value(row),
        }
      }
    }
  return [
    {
      name: 'logcluster_log_start_offset',
      help: 'First offset that the log has.',
      labels,
      samples: byLog(row => row.startOffset),
    },
    {
      name: 'logcluster_log_end_offset',
      help: 'Offset that the next record gets.',
      labels,
      samples: byLog(row => row.endOffset),
    },
    {
      name: 'logcluster_log_size_bytes',
      help: 'Bytes of the segments of the log.',
      labels,
      samples: byLog(row => row.sizeBytes),
    },
  ]
}

function storageGauges(sources: Sources): Instrument[] {
  const row = (name: string, help: string, value: (storage: StorageNumbers) => number) => ({
    name: `logcluster_${name}`,
    help,
    samples: () => ofOne(sources().storage?.(), value),
  })
  return [
    row('unflushed_bytes', 'Bytes appended and not flushed yet.', it => it.unflushedBytes),
    row(
      'unflushed_age_seconds',
      'Age of the oldest byte that is not flushed yet.',
      it => it.unflushedAgeMs / 1000,
    ),
    row(
      'flush_overdue_seconds',
      'By how much the latest flush is late: 0 where none is, and of what flush.policy=os leaves to the kernel none is planned.',
      it => it.flushOverdueMs / 1000,
    ),
    row('dirty_bytes', 'Bytes appended that no write-back has finished with.', it => it.dirtyBytes),
    row('dirty_pressure', '1 while producers are not read because of dirty bytes.', it =>
      Number(it.isOverDirtyBudget),
    ),
    row(
      'stray_logs',
      'Logs set aside because the metadata does not give them to this broker (any more); they take space until somebody removes them, and count until the next start.',
      it => it.strayLogs,
    ),
    {
      name: 'logcluster_storage_failed',
      help: '1 after a write or a flush failed: the directory takes no more, also not after a restart.',
      samples: () => ofOne(sources().hasStorageFailed?.(), Number),
    },
    {
      name: 'logcluster_disk_free_bytes',
      help: 'Bytes that are free on the file system of the data directory.',
      samples: () => ofOne(sources().space?.() ?? undefined, space => space.freeBytes),
    },
    {
      name: 'logcluster_disk_total_bytes',
      help: 'Bytes of the file system of the data directory.',
      samples: () => ofOne(sources().space?.() ?? undefined, space => space.totalBytes),
    },
    {
      name: 'logcluster_offline_partitions',
      help: 'Partitions of this broker whose log is missing, damaged or cannot be opened.',
      samples: () => ofOne(sources().offlinePartitions?.(), Number),
    },
    {
      name: 'logcluster_metadata_waiting',
      help: '1 while the metadata store does not answer: changes of topics and configs wait, and new producer ids may.',
      samples: () => ofOne(sources().isMetadataWaiting?.(), Number),
    },
    {
      name: 'logcluster_metadata_quarantined',
      help: '1 while the metadata store is not what this broker followed: it serves from its own copy, and changes nothing.',
      samples: () => ofOne(sources().isMetadataQuarantined?.(), Number),
    },
    {
      name: 'logcluster_request_memory_bytes',
      help: 'Memory of requests, arriving or being answered, by what their buffers take.',
      samples: () => ofOne(sources().network?.(), network => network.requestMemoryBytes),
    },
  ]
}

function infoGauges(sources: Sources): Instrument[] {
  const info = (labels: Readonly<Record<string, string>> | undefined): Sample[] =>
    labels === undefined ? [] : [{ labels, value: 1 }]
  return [
    {
      name: 'logcluster_build_info',
      help: 'Version of the broker and of Node; always 1.',
      labels: ['version', 'node'],
      samples: () => info(sources().build?.()),
    },
    {
      name: 'logcluster_data_path_info',
      help: 'Which twin of each port is at work, native or node; always 1.',
      labels: ['network', 'disk', 'crc'],
      samples: () => info(sources().dataPath?.()),
    },
    {
      name: 'logcluster_page_cache_source_info',
      help: 'What tells whether bytes are in the page cache: cachestat(2), mincore(2) where that is denied, window: what was appended lately counts as there, or unknown; always 1.',
      labels: ['source'],
      samples: () => info(sources().pageCache?.()),
    },
    {
      name: 'logcluster_start_class_info',
      help: 'How the last run ended: A cleanly, B the process died, C anything else, D the data directory was empty; always 1.',
      labels: ['class', 'reason'],
      samples: () => info(sources().start?.()),
    },
  ]
}

/** The one sample of a metric without labels, or none where its source is not there. */
function ofOne<T>(source: T | undefined, value: (source: T) => number): Sample[] {
  return source === undefined ? [] : [{ value: value(source) }]
}
