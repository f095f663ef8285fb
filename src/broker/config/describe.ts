import { present } from '../../lib/assert.ts'
import { groupConfigTable } from './group-config.ts'
import { configSource, type ConfigSource, type LiveConfiguration } from './live-configuration.ts'
import { isProblem, parseValue, textOf, type Setting, type SettingType } from './setting.ts'
import { settingNames, settingOf, type SettingName } from './settings.ts'
import { settingOfTopicConfig } from './topic-config.ts'

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
  configuration: LiveConfiguration,
  overrides: ReadonlyMap<string, string>,
): ConfigDescription[] {
  const rows = [...settingOfTopicConfig].map(([topicName, name]) => {
    const override = overrides.get(topicName)
    const own: ConfigSynonym[] =
      override === undefined
        ? []
        : [{ name: topicName, value: shown(name, override), source: configSource.topic }]
    const synonyms = [...own, ...synonymsOf(configuration, name)]
    return describe({ shownName: topicName, name, synonyms, isReadOnly: false })
  })
  return rows.toSorted(byName)
}

/** Every setting of the broker, sorted by name. */
export function describeBrokerConfigs(configuration: LiveConfiguration): ConfigDescription[] {
  return settingNames
    .map(name => {
      const isReadOnly = !settingOf(name).dynamic
      const synonyms = synonymsOf(configuration, name)
      return describe({ shownName: name, name, synonyms, isReadOnly })
    })
    .toSorted(byName)
}

/** What was changed for all brokers together, sorted by name; nothing else. */
export function describeCommonConfigs(configuration: LiveConfiguration): ConfigDescription[] {
  return settingNames
    .flatMap(name => {
      const common = synonymsOf(configuration, name).filter(
        ({ source }) => source === configSource.dynamicDefault,
      )
      if (common.length === 0) return []
      return [describe({ shownName: name, name, synonyms: common, isReadOnly: false })]
    })
    .toSorted(byName)
}

/** Every config of a consumer group with these `configs` of its own, sorted by name. */
export function describeGroupConfigs(configs: ReadonlyMap<string, string>): ConfigDescription[] {
  const rows = [...groupConfigTable].map(([name, setting]): ConfigDescription => {
    const own = configs.get(name)
    const beneath = { name, value: textOf(setting, setting.default), source: configSource.default }
    const synonyms: ConfigSynonym[] =
      own === undefined ? [beneath] : [{ name, value: own, source: configSource.group }, beneath]
    return { ...inForce(synonyms), name, isReadOnly: false, ...kindOf(setting) }
  })
  return rows.toSorted(byName)
}

function describe({ shownName, name, synonyms, isReadOnly }: Row): ConfigDescription {
  return { ...inForce(synonyms), name: shownName, isReadOnly, ...kindOf(settingOf(name)) }
}

function inForce(
  synonyms: readonly ConfigSynonym[],
): Pick<ConfigDescription, 'value' | 'source' | 'isDefault' | 'synonyms'> {
  const { value, source } = present(synonyms[0], 'a setting has a value')
  return { value, source, isDefault: source === configSource.default, synonyms }
}

function kindOf({
  type,
  doc,
}: Setting): Pick<ConfigDescription, 'isSensitive' | 'type' | 'documentation'> {
  return { isSensitive: false, type: typeNumbers[type], documentation: doc }
}

interface Row {
  readonly shownName: string
  readonly name: SettingName
  readonly synonyms: readonly ConfigSynonym[]
  readonly isReadOnly: boolean
}

function synonymsOf(configuration: LiveConfiguration, name: SettingName): ConfigSynonym[] {
  return configuration.layersOf(name).map(({ source, text }) => ({ name, value: text, source }))
}

/** An override as it is understood; as it stands where it is not. */
function shown(name: SettingName, override: string): string {
  const value = parseValue(settingOf(name), override)
  return isProblem(value) ? override : textOf(settingOf(name), value)
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
