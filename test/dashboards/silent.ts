/** Queries that show 0 where all is well, and that no scenario of some seconds makes show more: each with its reason. */
export const silent: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'LogCluster / Cluster: Partitions without a leader A': 'no log is lost',
    'LogCluster / Cluster: Failed disks A': 'no disk fails',
    'LogCluster / Cluster: Metadata waits A': 'the store answers',
    'LogCluster / Cluster: Quarantined A': 'copy and store agree',
    'LogCluster / Cluster: Offline partitions A': 'no log is lost',
    'LogCluster / Cluster: Stray logs A': 'every log has its topic',
    'LogCluster / Broker: Waits for memory of requests A': 'there is memory',
    'LogCluster / Broker: Fetch sessions A': 'none of these clients has sessions',
    'LogCluster / Broker: Fetch sessions B': 'none of these clients has sessions',
    'LogCluster / Broker: Fetch sessions pushed out A': 'none of these clients has sessions',
    'LogCluster / Broker: Logs that cannot be cleaned A': 'no log is damaged',
    'LogCluster / Page cache: Waiting for the disk A': 'one reader waits for nobody',
    'LogCluster / Page cache: Write stalls A': 'the kernel need not make anybody wait',
    'LogCluster / Page cache: Stalled appends A': 'the kernel need not make anybody wait',
    'LogCluster / Page cache: Stalled appends B': 'the kernel need not make anybody wait',
    'LogCluster / Page cache: Hot data lost to scans A':
      'whether memory is short is up to the machine',
    'LogCluster / Page cache: Producers held back A': 'the device keeps up',
    'LogCluster / Broker: Memory of requests A': 'requests are over when the scrape comes',
    'LogCluster / Consumers: Series left out A': 'there are few groups',
  }),
)
