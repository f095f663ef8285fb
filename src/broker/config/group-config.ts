import { nearest } from './nearest.ts'
import { int, type Setting } from './setting.ts'
import { isProblem, parse } from './setting-value.ts'

/**
 * What a consumer group can be given by name: Kafka's names, ranges and defaults. They are for members of the
 * protocol of KIP-848, which ask the broker for its times; those of the older one bring their own.
 */
export const groupConfigTable: ReadonlyMap<string, Setting> = new Map<string, Setting>([
  [
    'consumer.session.timeout.ms',
    int({
      default: 45_000,
      unit: 'ms',
      min: 45_000,
      max: 60_000,
      effect: 'never',
      doc: "How long a member may be silent before it is taken out of the group. There are no members of the 'consumer' protocol yet.",
    }),
  ],
  [
    'consumer.heartbeat.interval.ms',
    int({
      default: 5_000,
      unit: 'ms',
      min: 5_000,
      max: 15_000,
      effect: 'never',
      doc: "How often a member is told to report. There are no members of the 'consumer' protocol yet.",
    }),
  ],
])

/** What is wrong with a group's configs (INVALID_CONFIG), as far as they are `given` now, for the client; null where nothing is. */
export function groupConfigProblem(
  configs: ReadonlyMap<string, string>,
  given: ReadonlySet<string> = new Set(configs.keys()),
): string | null {
  for (const [name, text] of configs) {
    if (!given.has(name)) continue
    const setting = groupConfigTable.get(name)
    if (setting === undefined) {
      const meant = nearest(name, [...groupConfigTable.keys()])
      const hint = meant === null ? '' : `; did you mean ${meant}?`
      return `there is no group config ${name}${hint}`
    }
    const parsed = parse(setting, text)
    if (isProblem(parsed)) return `${name} ${parsed.problem}`
  }
  return null
}
