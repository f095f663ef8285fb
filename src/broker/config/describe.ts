import type { Setting, SettingType } from './setting.ts'
import { camel, settingNames, settingOf, type Configuration, type SettingName } from './settings.ts'
import { settingOfTopicConfig } from './topic-config.ts'

/** Where a value comes from, as DescribeConfigs numbers it. */
export const configSource = {
  topic: 1,
  dynamicBroker: 2,
  staticBroker: 4,
  default: 5,
} as const

export type ConfigSource = (typeof configSource)[keyof typeof configSource]

/** One row of the answer to DescribeConfigs, in the protocol's own numbers. */
export interface ConfigDescription {
  readonly name: string
  readonly value: string
  readonly source: ConfigSource
  readonly isDefault: boolean
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  /** Every value that stands for this one, the one in force first. */
  readonly synonyms: readonly ConfigSynonym[]
  /** 1 boolean, 2 string, 3 int, 5 long, 7 list. */
  readonly type: number
  readonly documentation: string
}

export interface ConfigSynonym {
  readonly name: string
  readonly value: string
  readonly source: ConfigSource
}

/** Every config of a topic with these `overrides`, sorted by name. */
export function describeTopicConfigs(
  configuration: Configuration,
  overrides: ReadonlyMap<string, string>,
): ConfigDescription[] {
  const rows = [...settingOfTopicConfig].map(([topicName, name]) => {
    const override = overrides.get(topicName)
    const own: ConfigSynonym[] =
      override === undefined
        ? []
        : [{ name: topicName, value: override, source: configSource.topic }]
    return describe(topicName, name, [...own, ...brokerSynonyms(configuration, name)], false)
  })
  return rows.toSorted(byName)
}

/** Every setting of the broker, sorted by name. */
export function describeBrokerConfigs(configuration: Configuration): ConfigDescription[] {
  return settingNames
    .map(name => {
      const isReadOnly = !settingOf(name).dynamic
      return describe(name, name, brokerSynonyms(configuration, name), isReadOnly)
    })
    .toSorted(byName)
}

function describe(
  shownName: string,
  name: SettingName,
  synonyms: readonly ConfigSynonym[],
  isReadOnly: boolean,
): ConfigDescription {
  const setting = settingOf(name)
  const [inForce] = synonyms as readonly [ConfigSynonym, ...ConfigSynonym[]]
  return {
    name: shownName,
    value: inForce.value,
    source: inForce.source,
    isDefault: inForce.source === configSource.default,
    isReadOnly,
    isSensitive: false,
    synonyms,
    type: typeNumbers[setting.type],
    documentation: setting.doc,
  }
}

/** The broker's own value, then the table's default behind it. */
function brokerSynonyms({ settings, given }: Configuration, name: SettingName): ConfigSynonym[] {
  const current = textOf(settingOf(name), settings[camel(name) as keyof typeof settings])
  if (!given.has(name)) return [{ name, value: current, source: configSource.default }]
  return [
    { name, value: current, source: configSource.staticBroker },
    {
      name,
      value: textOf(settingOf(name), settingOf(name).default),
      source: configSource.default,
    },
  ]
}

/** Kafka writes "without limit" as the greatest 64-bit number; tools compare with that. */
function textOf(setting: Setting, value: boolean | number | string): string {
  const isWithoutLimit = setting.type === 'long' && value === Number.MAX_SAFE_INTEGER
  return isWithoutLimit ? '9223372036854775807' : String(value)
}

const typeNumbers: Readonly<Record<SettingType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  long: 5,
  list: 7,
}

function byName(a: ConfigDescription, b: ConfigDescription): number {
  return a.name < b.name ? -1 : 1
}
