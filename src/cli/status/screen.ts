import type { BrokerHealth, Health, PartitionFacts } from './health.ts'

/** Lines of a list; what is more is counted. */
const listedMax = 12
/** Partitions named in one line. */
const namedMax = 8

/** One screen for people. */
export function screenOf(health: Health): string {
  const { clusterId, controllerId, brokers, underReplicated } = health
  const controller = controllerId < 0 ? 'no controller' : `controller ${controllerId}`
  return [
    `Cluster ${clusterId}: ${count(brokers.length, 'broker')}, ${controller}`,
    '',
    ...table([
      ['broker', 'address', 'rack', 'state', 'leads', 'in sync', 'a restart'],
      ...brokers.map(rowOf),
    ]),
    '',
    summaryOf(health),
    ...(underReplicated.length === 0 ? [] : ['', ...table(partitionRows(underReplicated))]),
    ...paragraph(brokers.flatMap(risksOf)),
  ].join('\n')
}

function rowOf(broker: BrokerHealth): string[] {
  const { id, address, rack, state, isController, leads, replicas, inSync } = broker
  return [
    String(id),
    address ?? '-',
    rack ?? '-',
    isController ? `${state}, controller` : state,
    String(leads),
    `${inSync} of ${replicas}`,
    verdictOf(broker),
  ]
}

function verdictOf({ risk, state }: BrokerHealth): string {
  if (risk.offline.length > 0) return `takes ${count(risk.offline.length, 'partition')} offline`
  if (risk.underMin.length > 0) {
    return `stops acks=all for ${count(risk.underMin.length, 'partition')}`
  }
  return state === 'up' ? 'risks nothing' : '-'
}

function summaryOf({ topicCount, partitionCount, ...counts }: Health): string {
  const { underReplicated, underMinCount, offlineCount } = counts
  const all = `${count(topicCount, 'topic')}, ${count(partitionCount, 'partition')}`
  if (underReplicated.length === 0 && offlineCount === 0) return `${all}: all replicas in sync`
  return (
    `${all}: ${underReplicated.length} under-replicated, ${underMinCount} under min.insync.replicas, ` +
    `${offlineCount} without a leader`
  )
}

function partitionRows(partitions: readonly PartitionFacts[]): string[][] {
  const rows = partitions.slice(0, listedMax).map(partition => {
    const { topic, index, leader, replicas, inSync, inSyncMin } = partition
    const lead = leader < 0 ? 'none' : String(leader)
    return [
      `${topic}-${index}`,
      lead,
      replicas.join(','),
      inSync.join(',') || 'none',
      String(inSyncMin),
    ]
  })
  const more = partitions.length - rows.length
  const rest = more === 0 ? [] : [[`and ${more} more`, '', '', '', '']]
  return [['partition', 'leader', 'replicas', 'in sync', 'min'], ...rows, ...rest]
}

function risksOf({ id, risk }: BrokerHealth): string[] {
  const lines: string[] = []
  if (risk.offline.length > 0) {
    lines.push(`Without broker ${id} nobody leads ${named(risk.offline)}.`)
  }
  if (risk.underMin.length > 0) {
    lines.push(`Without broker ${id} acks=all is refused in ${named(risk.underMin)}.`)
  }
  return lines
}

function paragraph(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', ...lines]
}

function named(names: readonly string[]): string {
  const more = names.length - namedMax
  return names.slice(0, namedMax).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** Columns two blanks apart, nothing behind the last one. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row => {
    return row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  })
}
