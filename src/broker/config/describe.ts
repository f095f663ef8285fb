import { groupConfigTable } from './group-config.ts'
import { configSource, type ConfigSource, type LiveConfiguration } from './live-configuration.ts'
import { isDynamic, type Setting, type SettingType } from './setting.ts'
import { isProblem, parse, textOf } from './setting-value.ts'
import { settingNames, settingOf, type SettingName } from './settings.ts'
import { topicConfigNames, topicConfigOf } from './topic-config-table.ts'

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
  /** As the protocol numbers them. */
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
  configuration: LiveConfiguration,
  overrides: ReadonlyMap<string, string>,
): ConfigDescription[] {
  return topicConfigNames.map(name => {
    const setting = topicConfigOf(name)
    const { broker } = setting
    const override = overrides.get(name)
    const own: ConfigSynonym[] =
      override === undefined
        ? []
        : [{ name, value: shown(setting, override), source: configSource.topic }]
    const beneath = broker === null ? [] : synonymsOf(configuration, broker)
    return describe(name, setting, [...own, ...beneath])
  })
}

/** Every setting of the broker, sorted by name. */
export function describeBrokerConfigs(configuration: LiveConfiguration): ConfigDescription[] {
  return settingNames
    .map(name => describe(name, settingOf(name), synonymsOf(configuration, name)))
    .toSorted(byName)
}

/** What was changed for all brokers together, sorted by name; nothing else. */
export function describeCommonConfigs(configuration: LiveConfiguration): ConfigDescription[] {
  return settingNames
    .flatMap(name => {
      const common = synonymsOf(configuration, name).filter(
        ({ source }) => source === configSource.dynamicDefault,
      )
      return common.length === 0 ? [] : [describe(name, settingOf(name), common)]
    })
    .toSorted(byName)
}

/** Every config of a consumer group with these `configs` of its own, sorted by name. */
export function describeGroupConfigs(configs: ReadonlyMap<string, string>): ConfigDescription[] {
  const rows = [...groupConfigTable].map(([name, setting]) => {
    const own = configs.get(name)
    const above = own === undefined ? [] : [{ name, value: own, source: configSource.group }]
    const beneath = { name, value: textOf(setting, setting.default), source: configSource.default }
    return describe(name, setting, [...above, beneath])
  })
  return rows.toSorted(byName)
}

/** The first of the `synonyms` is in force; without one, the row's default. */
function describe(
  name: string,
  setting: Setting,
  synonyms: readonly ConfigSynonym[],
): ConfigDescription {
  const byDefault = { value: textOf(setting, setting.default), source: configSource.default }
  const { value, source } = synonyms[0] ?? byDefault
  return {
    name,
    value,
    source,
    isDefault: source === configSource.default,
    isReadOnly: !isDynamic(setting),
    isSensitive: setting.type === 'password',
    synonyms,
    type: typeNumbers[setting.type],
    documentation: setting.doc,
  }
}

function synonymsOf(configuration: LiveConfiguration, name: SettingName): ConfigSynonym[] {
  return configuration.layersOf(name).map(({ source, text }) => ({ name, value: text, source }))
}

/** An override as it is understood; as it stands where it is not. */
function shown(setting: Setting, override: string): string {
  const parsed = parse(setting, override)
  return isProblem(parsed) ? override : parsed.text
}

const typeNumbers: Readonly<Record<SettingType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}

function byName(a: ConfigDescription, b: ConfigDescription): number {
  return a.name < b.name ? -1 : 1
}
