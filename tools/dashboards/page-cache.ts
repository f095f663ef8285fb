import {
  type Board,
  broker,
  groupChoice,
  hitRatioBy,
  missedBy,
  panel,
  rateBy,
  topicChoice,
} from './panel.ts'

const chosen = `${broker}, topic=~"$topic", group=~"$group|"`
const ofGroup = `${broker}, group=~"$group|"`

/** Who reads from memory, who from the device, and what that costs whom. */
export const pageCacheBoard: Board = {
  uid: 'logcluster-page-cache',
  title: 'LogCluster / Page cache',
  text: "The kernel's page cache is the broker's read buffer: who is served from memory, who reads old data from the device, how far behind, and whom that disturbs.",
  target: 'logcluster_build_info',
  choices: [topicChoice, groupChoice],
  rows: [
    {
      title: 'From memory',
      panels: [
        panel({
          title: 'Hit ratio',
          text: 'The part of the bytes sent to consumers that no device had to deliver. It is measured by what the kernel read, not guessed; what cannot be measured is not in it.',
          unit: 'percentunit',
          kind: 'stat',
          width: 6,
          expr: hitRatioBy('', chosen),
          legend: 'from memory',
        }),
        panel({
          title: 'From the device',
          text: 'Bytes a second that consumers were sent and a device had to deliver, of what can be measured.',
          unit: 'Bps',
          kind: 'stat',
          width: 6,
          expr: missedBy('', chosen),
          legend: 'from the device',
        }),
        panel({
          title: 'Hot data lost to scans',
          text: 'Bytes a second that were sent from memory within the last minute and had to be read again, because somebody read old data meanwhile. Anything but nothing means that one reader costs another.',
          unit: 'Bps',
          kind: 'stat',
          width: 6,
          redFrom: 1,
          expr: rateBy('', 'logcluster_scan_evicted_hot_bytes_total'),
          legend: 'read again',
        }),
        panel({
          title: 'Given back behind cold readers',
          text: 'Bytes a second that cold reads brought into memory and the broker gave back to the kernel, so that they push out nothing.',
          unit: 'Bps',
          kind: 'stat',
          width: 6,
          expr: rateBy('', 'logcluster_drop_behind_bytes_total'),
          legend: 'given back',
        }),
        panel({
          title: 'How the broker knows',
          text: 'What tells each broker whether a range is in memory: cachestat, mincore where the sandbox forbids that, the window of what it wrote itself, or nothing. The hit ratio is measured by what was read all the same.',
          unit: 'short',
          kind: 'table',
          expr: `logcluster_page_cache_source_info{${broker}}`,
          legend: '{{instance}} {{source}}',
        }),
        panel({
          title: 'Hit ratio by topic',
          text: 'The part of the bytes sent that no device had to deliver, by topic.',
          unit: 'percentunit',
          expr: hitRatioBy('topic', chosen),
          legend: '{{topic}}',
        }),
        panel({
          title: 'Hit ratio by group',
          text: 'The part of the bytes sent that no device had to deliver, by consumer group; an empty name is whoever fetches without one.',
          unit: 'percentunit',
          expr: hitRatioBy('group', chosen),
          legend: '{{group}}',
        }),
      ],
    },
    {
      title: 'Who reads cold',
      panels: [
        panel({
          title: 'How far behind those are who read cold',
          text: 'Age of the oldest record that a group has not fetched, of groups that read from the device within the last minutes.',
          unit: 's',
          expr: `max by (group) (logcluster_consumer_lag_seconds{${ofGroup}, position="fetch"}) and on (group) ${rateBy('group', 'logcluster_cold_read_bytes_total', ofGroup)} > 0`,
          legend: '{{group}}',
        }),
        panel({
          title: 'Cold bytes by group',
          text: 'Bytes a second that went to groups by way of the cold lane, because they were not wholly in memory.',
          unit: 'Bps',
          isStacked: true,
          expr: rateBy('group', 'logcluster_cold_read_bytes_total', ofGroup),
          legend: '{{group}}',
        }),
        panel({
          title: 'Cold reads by group',
          text: 'Reads a second by way of the cold lane.',
          unit: 'iops',
          expr: rateBy('group', 'logcluster_cold_reads_total', ofGroup),
          legend: '{{group}}',
        }),
        panel({
          title: 'Wait for the disk',
          text: 'Seconds that a cold read waits for its turn, on average, by group. Turns go evenly to the groups.',
          unit: 's',
          expr: `${rateBy('group', 'logcluster_cold_read_wait_seconds_total', ofGroup)} / (${rateBy('group', 'logcluster_cold_reads_total', ofGroup)} > 0)`,
          legend: '{{group}}',
        }),
        panel({
          title: 'Waiting for the disk',
          text: 'Cold reads that wait for their turn at this moment, by group.',
          unit: 'short',
          expr: `sum by (group) (logcluster_cold_reads_waiting{${ofGroup}})`,
          legend: '{{group}}',
        }),
      ],
    },
    {
      title: 'Writes',
      panels: [
        panel({
          title: 'Age of what is not flushed',
          text: 'Seconds since the oldest byte was appended that no flush has made durable. A machine that loses power now loses what is younger.',
          unit: 's',
          expr: `max by (instance) (logcluster_unflushed_age_seconds{${broker}})`,
          legend: '{{instance}}',
        }),
        {
          title: 'Dirty and unflushed bytes',
          text: 'Bytes that no write-back has finished with, and bytes that no flush has made durable.',
          unit: 'bytes',
          queries: [
            {
              expr: `sum by (instance) (logcluster_dirty_bytes{${broker}})`,
              legend: '{{instance}} dirty',
            },
            {
              expr: `sum by (instance) (logcluster_unflushed_bytes{${broker}})`,
              legend: '{{instance}} unflushed',
            },
          ],
        },
        panel({
          title: 'Write stalls',
          text: 'Part of the time in which the kernel made an append wait, and the event loop with it.',
          unit: 'percentunit',
          expr: rateBy('instance', 'logcluster_write_stall_seconds_total'),
          legend: '{{instance}}',
        }),
        {
          title: 'Stalled appends',
          text: 'Appends a second that the kernel made wait, and appends that a thread wrote because of it.',
          unit: 'ops',
          queries: [
            {
              expr: rateBy('instance', 'logcluster_write_stalls_total'),
              legend: '{{instance}} stalled',
            },
            {
              expr: rateBy('instance', 'logcluster_thread_writes_total'),
              legend: '{{instance}} by a thread',
            },
          ],
        },
        panel({
          title: 'Producers held back',
          text: 'Times a second that producers were no longer read because too many bytes were dirty.',
          unit: 'ops',
          expr: rateBy('instance', 'logcluster_pressure_pauses_total'),
          legend: '{{instance}}',
        }),
        panel({
          title: 'Way out',
          text: 'Bytes a second to sockets: straight from the page cache by sendfile, or copied.',
          unit: 'Bps',
          isStacked: true,
          expr: rateBy('path', 'logcluster_sent_bytes_total'),
          legend: '{{path}}',
        }),
      ],
    },
  ],
}
