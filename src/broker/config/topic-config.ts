import { nearest } from './nearest.ts'
import type { SettingValue } from './setting.ts'
import { isProblem, parse } from './setting-value.ts'
import { camel, type Settings, type ValuesOf } from './settings.ts'
import {
  isTopicConfigName,
  topicConfigNames,
  topicConfigOf,
  type topicConfigTable,
  type TopicConfigName,
} from './topic-config-table.ts'

/** A wish for one config of a topic, as CreateTopics carries it. */
export interface TopicConfigWish {
  readonly name: string
  readonly value: string | null
}

/** Why a wish is refused (INVALID_CONFIG): for the response and the log. */
export interface TopicConfigProblem {
  readonly name: string
  readonly message: string
}

/** What the partitions of one topic go by: its own configs over the broker's settings. */
export type TopicConfig = ValuesOf<typeof topicConfigTable> &
  Pick<Settings, 'producerIdExpirationMs' | 'producerIdCountMax'>

/** What is wrong with `wishes`: one entry a wish that cannot be met; empty where all can. */
export function validateTopicConfigs(wishes: readonly TopicConfigWish[]): TopicConfigProblem[] {
  const seen = new Set<string>()
  return wishes.flatMap(wish => {
    const message = seen.has(wish.name)
      ? `${wish.name} is given twice: give it once`
      : problemOf(wish)
    seen.add(wish.name)
    return message === null ? [] : [{ name: wish.name, message }]
  })
}

/**
 * The configs of a topic with these `overrides`. One that does not parse (another version's metadata) counts as
 * not given: configs are validated before they enter the metadata log.
 */
export function topicConfig(
  settings: Settings,
  overrides: ReadonlyMap<string, string>,
): TopicConfig {
  const values = topicConfigNames.map(name => {
    const setting = topicConfigOf(name)
    const override = overrides.get(name)
    const parsed = override === undefined ? null : parse(setting, override)
    if (parsed !== null && !isProblem(parsed)) return [camel(name), parsed.value]
    return [camel(name), beneath(settings, name)]
  })
  const { producerIdExpirationMs, producerIdCountMax } = settings
  const config = { ...Object.fromEntries(values), producerIdExpirationMs, producerIdCountMax }
  return { ...config, ...impliedBy(config) }
}

/** What some configs mean for others: a small segment for tests, and a flush for every record. */
function impliedBy({
  internalSegmentBytes,
  segmentBytes,
  flushMessages,
  flushPolicy,
}: TopicConfig): Pick<TopicConfig, 'segmentBytes' | 'flushPolicy'> {
  return {
    segmentBytes: internalSegmentBytes > 0 ? internalSegmentBytes : segmentBytes,
    flushPolicy: flushMessages === 1 ? 'ack' : flushPolicy,
  }
}

/** What is wrong between configs that each are right, of which one is `given` now: a sentence for the client; null where nothing is. */
export function topicConfigConflict(
  config: TopicConfig,
  given: ReadonlySet<string>,
): string | null {
  const { minCompactionLagMs: least, maxCompactionLagMs: most } = config
  const isGiven = given.has('min.compaction.lag.ms') || given.has('max.compaction.lag.ms')
  if (least <= most || !isGiven) return null
  return (
    `min.compaction.lag.ms is ${least}, more than max.compaction.lag.ms, which is ${most}: lower the first or ` +
    'raise the second'
  )
}

function beneath(settings: Settings, name: TopicConfigName): SettingValue {
  const { broker, default: byDefault } = topicConfigOf(name)
  return broker === null ? byDefault : settings[camel(broker)]
}

function problemOf({ name, value }: TopicConfigWish): string | null {
  if (!isTopicConfigName(name)) {
    const meant = nearest(name, topicConfigNames)
    const hint = meant === null ? '' : `; did you mean ${meant}?`
    return `there is no topic config ${name}${hint}`
  }
  if (value === null) return `${name} needs a value: leave it out for the default`
  const parsed = parse(topicConfigOf(name), value)
  if (isProblem(parsed)) return `${name} ${parsed.problem}`
  if (name === 'remote.storage.enable' && parsed.value === true) {
    return 'remote.storage.enable must be false: there is no tiered storage here'
  }
  return null
}
