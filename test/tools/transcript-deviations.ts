/** Lines that one side says and the other does not, and why; told as what they match. */
export interface LineDeviation {
  /** The beginning of the command. */
  readonly command: string
  readonly ours?: RegExp
  readonly kafkas?: RegExp
  /** The first cell of a row of docs/compatibility.md. */
  readonly row: string
}

/** What Kafka's tools say of three brokers of ours and not of three nodes of Apache Kafka 4.3.1, or the other way round. */
export const lineDeviations: readonly LineDeviation[] = [
  {
    command: 'kafka-topics --describe',
    ours: /^Topic: .* Configs:$/,
    kafkas: /^Topic: .* Configs: min\.insync\.replicas=1$/,
    row: '`min.insync.replicas` and eligible leader replicas',
  },
  {
    command: 'kafka-topics --describe --at-min-isr-partitions',
    ours: /^Topic: wide .* Isr: 0,1 /,
    row: '`min.insync.replicas` and eligible leader replicas',
  },
  {
    command: 'kafka-configs --describe --entity-type brokers',
    kafkas: /^min\.insync\.replicas=1 /,
    row: '`min.insync.replicas` and eligible leader replicas',
  },
  {
    command: 'kafka-features describe',
    kafkas:
      /^Feature: (eligible\.leader\.replicas|group|kraft|share|streams|transaction)\.version /,
    row: 'features',
  },
  {
    command: 'kafka-metadata-quorum describe --status',
    ours: /^Current(Voters|Observers): \[\{/,
    kafkas: /^Current(Voters|Observers): \[/,
    row: 'the quorum of the metadata',
  },
  {
    command: 'kafka-metadata-quorum describe --replication',
    ours: /^<chance> Observer$/,
    kafkas: /^<chance> Follower$/,
    row: 'the quorum of the metadata',
  },
]

/** Holds differences against the list. */
export class LineJudge {
  readonly #found = new Set<string>()

  /** Whether the list explains this line. */
  explains(side: 'ours' | 'kafkas', command: string, line: string): boolean {
    const by = lineDeviations.filter(deviation => {
      return command.startsWith(deviation.command) && deviation[side]?.test(line) === true
    })
    for (const deviation of by) this.#found.add(keyOf(deviation, side))
    return by.length > 0
  }

  /** What is in the list and was not found. */
  stale(): string[] {
    const all = lineDeviations.flatMap(deviation => {
      const sides = (['ours', 'kafkas'] as const).filter(side => deviation[side] !== undefined)
      return sides.map(side => keyOf(deviation, side))
    })
    return all.filter(key => !this.#found.has(key))
  }
}

function keyOf(deviation: LineDeviation, side: 'ours' | 'kafkas'): string {
  return `${deviation.command}: ${side}: ${deviation[side]}`
}
