import { type Board, broker, panel, quantileBy, rateBy } from './panel.ts'

/** One process: its loop, its memory, its connections, its disk. */
export const brokerBoard: Board = {
  uid: 'logcluster-broker',
  title: 'LogCluster / Broker',
  text: 'A broker as a process: event loop, memory, connections, disk, cleaner.',
  target: 'logcluster_build_info',
  choices: [],
  rows: [
    {
      title: 'What runs',
      panels: [
        panel({
          title: 'Versions',
          text: 'Version of each broker and of its Node.',
          unit: 'short',
          kind: 'table',
          width: 8,
          expr: `logcluster_build_info{${broker}}`,
          legend: '{{instance}}',
        }),
        panel({
          title: 'Data path',
          text: 'Which twin of network, disk and checksums is at work: native, or the fallback.',
          unit: 'short',
          kind: 'table',
          width: 8,
          expr: `logcluster_data_path_info{${broker}}`,
          legend: '{{instance}}',
        }),
        panel({
          title: 'Last start',
          text: 'How the run before ended: A cleanly, B the process died, C anything else, D the data directory was empty.',
          unit: 'short',
          kind: 'table',
          width: 8,
          expr: `logcluster_start_class_info{${broker}}`,
          legend: '{{instance}}',
        }),
        panel({
          title: 'Up for',
          text: 'Time since the process started.',
          unit: 's',
          expr: `time() - max by (instance) (process_start_time_seconds{${broker}})`,
          legend: '{{instance}}',
        }),
      ],
    },
    {
      title: 'Process',
      panels: [
        panel({
          title: 'CPU',
          text: 'Cores that the process uses.',
          unit: 'short',
          expr: rateBy('instance', 'process_cpu_seconds_total'),
          legend: '{{instance}}',
        }),
        panel({
          title: 'Event loop lag, p99',
          text: 'How much later than asked a timer ran: what every request waits beside its own work.',
          unit: 's',
          expr: quantileBy(0.99, 'instance', 'logcluster_event_loop_lag_seconds'),
          legend: '{{instance}}',
        }),
        {
          title: 'Memory',
          text: "Memory of the process, and of JavaScript's heap in it. The page cache is not in it.",
          unit: 'bytes',
          queries: [
            {
              expr: `max by (instance) (process_resident_memory_bytes{${broker}})`,
              legend: '{{instance}} resident',
            },
            {
              expr: `max by (instance) (nodejs_heap_used_bytes{${broker}})`,
              legend: '{{instance}} heap',
            },
          ],
        },
        panel({
          title: 'Open files',
          text: 'Open file descriptors, as part of the most that are allowed.',
          unit: 'percentunit',
          expr: `max by (instance) (process_open_fds{${broker}} / process_max_fds{${broker}})`,
          legend: '{{instance}}',
        }),
      ],
    },
    {
      title: 'Connections and requests',
      panels: [
        {
          title: 'Accepted and closed',
          text: 'Connections a second that came, and that ended, by reason.',
          unit: 'cps',
          queries: [
            { expr: rateBy('', 'logcluster_connections_accepted_total'), legend: 'accepted' },
            {
              expr: rateBy('reason', 'logcluster_connections_closed_total'),
              legend: 'closed: {{reason}}',
            },
          ],
        },
        {
          title: 'Refused and faulty',
          text: 'Connections a second closed as they came, by the limit that they met, and for what their client did.',
          unit: 'cps',
          queries: [
            {
              expr: rateBy('reason', 'logcluster_connections_refused_total'),
              legend: 'refused: {{reason}}',
            },
            {
              expr: rateBy('reason', 'logcluster_connection_faults_total'),
              legend: 'fault: {{reason}}',
            },
          ],
        },
        panel({
          title: 'Logins that failed',
          text: 'Logins a second that failed, by listener.',
          unit: 'cps',
          expr: rateBy('listener', 'logcluster_login_failures_total'),
          legend: '{{listener}}',
        }),
        panel({
          title: 'Memory of requests',
          text: 'Memory of requests that arrive or are being answered.',
          unit: 'bytes',
          expr: `sum by (instance) (logcluster_request_memory_bytes{${broker}})`,
          legend: '{{instance}}',
        }),
        panel({
          title: 'Waits for memory of requests',
          text: 'Times a second that a connection was not read on because requests filled their memory.',
          unit: 'ops',
          expr: rateBy('instance', 'logcluster_request_memory_waits_total'),
          legend: '{{instance}}',
        }),
        {
          title: 'Network',
          text: 'Bytes a second from and to sockets.',
          unit: 'Bps',
          queries: [
            {
              expr: rateBy('instance', 'logcluster_received_bytes_total'),
              legend: '{{instance}} in',
            },
            { expr: rateBy('instance', 'logcluster_sent_bytes_total'), legend: '{{instance}} out' },
          ],
        },
        panel({
          title: 'Copied records',
          text: 'Bytes of records a second that JavaScript copies, by reason; sendfile and views copy none.',
          unit: 'Bps',
          expr: rateBy('reason', 'logcluster_copied_bytes_total'),
          legend: '{{reason}}',
        }),
        {
          title: 'Fetch sessions',
          text: 'Sessions of fetches that are remembered, and the partitions in them.',
          unit: 'short',
          queries: [
            {
              expr: `sum by (instance) (logcluster_fetch_sessions{${broker}})`,
              legend: '{{instance}} sessions',
            },
            {
              expr: `sum by (instance) (logcluster_fetch_session_partitions{${broker}})`,
              legend: '{{instance}} partitions',
            },
          ],
        },
        panel({
          title: 'Fetch sessions pushed out',
          text: 'Sessions a second that ended because others needed their slots.',
          unit: 'ops',
          expr: rateBy('instance', 'logcluster_fetch_session_evictions_total'),
          legend: '{{instance}}',
        }),
      ],
    },
    {
      title: 'Disk',
      panels: [
        panel({
          title: 'Free',
          text: 'Part of the file system of the data that is free.',
          unit: 'percentunit',
          expr: `min by (instance) (logcluster_disk_free_bytes{${broker}} / logcluster_disk_total_bytes{${broker}})`,
          legend: '{{instance}}',
        }),
        {
          title: 'Cleaner',
          text: 'Bytes a second that the log cleaner reads and writes.',
          unit: 'Bps',
          queries: [
            {
              expr: rateBy('instance', 'logcluster_cleaner_read_bytes_total'),
              legend: '{{instance}} read',
            },
            {
              expr: rateBy('instance', 'logcluster_cleaner_written_bytes_total'),
              legend: '{{instance}} written',
            },
          ],
        },
        panel({
          title: 'Dirtiest log',
          text: 'Part of the dirtiest log that no compaction has seen.',
          unit: 'percentunit',
          expr: `max by (instance) (logcluster_cleaner_max_dirty_ratio{${broker}})`,
          legend: '{{instance}}',
        }),
        panel({
          title: 'Logs that cannot be cleaned',
          text: 'Partitions that the cleaner leaves alone after it failed on them.',
          unit: 'short',
          expr: `sum by (instance) (logcluster_cleaner_uncleanable_partitions{${broker}})`,
          legend: '{{instance}}',
        }),
      ],
    },
  ],
}
