import { nearest } from './nearest.ts'
import { isProblem, parseValue, type SettingValue } from './setting.ts'
import { camel, settingNames, settingOf, type SettingName, type Settings } from './settings.ts'

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

/** The values of one partition's log: the topic's overrides over the broker's settings. */
export interface PartitionConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  /** -1: no limit. */
  readonly retentionBytes: number
  /** -1: no limit. */
  readonly retentionMs: number
  readonly maxMessageBytes: number
  readonly compressionType: Settings['compressionType']
  readonly cleanupPolicy: Settings['logCleanupPolicy']
  readonly messageTimestampType: Settings['logMessageTimestampType']
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly flushPolicy: Settings['flushPolicy']
  readonly flushMs: number
  readonly fileDeleteDelayMs: number
  readonly minInsyncReplicas: number
  readonly producerIdExpirationMs: number
  readonly producerCountMax: number
}

/** Kafka's name of each config that a topic can have, with the broker's setting that it overrides. */
export const settingOfTopicConfig: ReadonlyMap<string, SettingName> = new Map(
  settingNames.flatMap(name => {
    const { topic } = settingOf(name)
    return topic === null ? [] : [[topic, name] as const]
  }),
)

export const topicConfigNames: readonly string[] = [...settingOfTopicConfig.keys()].toSorted()

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
 * The config of a topic's logs. An override that does not parse (another version's metadata) counts as not
 * given: configs are validated before they enter the metadata log.
 */
export function logConfigOf(
  settings: Settings,
  overrides: ReadonlyMap<string, string>,
): PartitionConfig {
  const of = <Name extends SettingName>(name: Name) => effective(settings, overrides, name)
  return {
    segmentBytes: of('log.segment.bytes'),
    segmentMs: of('log.roll.ms'),
    segmentIndexBytes: of('log.index.size.max.bytes'),
    indexIntervalBytes: of('log.index.interval.bytes'),
    retentionBytes: of('log.retention.bytes'),
    retentionMs: of('log.retention.ms'),
    maxMessageBytes: of('message.max.bytes'),
    compressionType: of('compression.type'),
    cleanupPolicy: of('log.cleanup.policy'),
    messageTimestampType: of('log.message.timestamp.type'),
    messageTimestampBeforeMaxMs: of('log.message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: of('log.message.timestamp.after.max.ms'),
    flushPolicy: of('flush.policy'),
    flushMs: of('log.flush.interval.ms'),
    fileDeleteDelayMs: of('log.segment.delete.delay.ms'),
    minInsyncReplicas: of('min.insync.replicas'),
    producerIdExpirationMs: settings.producerIdExpirationMs,
    producerCountMax: settings.producerIdCountMax,
  }
}

function problemOf(wish: TopicConfigWish): string | null {
  const name = settingOfTopicConfig.get(wish.name)
  if (name === undefined) {
    const meant = nearest(wish.name, topicConfigNames)
    const hint = meant === null ? '' : `; did you mean ${meant}?`
    return `there is no topic config ${wish.name}${hint}`
  }
  if (wish.value === null) return `${wish.name} needs a value: leave it out for the default`
  const value = parseValue(settingOf(name), wish.value)
  return isProblem(value) ? `${wish.name} ${value.problem}` : null
}

type ValueOf<Name extends SettingName> = Settings[ReturnType<typeof camel<Name>>]

function effective<Name extends SettingName>(
  settings: Settings,
  overrides: ReadonlyMap<string, string>,
  name: Name,
): ValueOf<Name> {
  const setting = settingOf(name)
  const override = setting.topic === null ? undefined : overrides.get(setting.topic)
  const parsed: SettingValue | { problem: string } | undefined =
    override === undefined ? undefined : parseValue(setting, override)
  const isUsable = parsed !== undefined && !isProblem(parsed)
  return (isUsable ? parsed : settings[camel(name) as keyof Settings]) as ValueOf<Name>
}
