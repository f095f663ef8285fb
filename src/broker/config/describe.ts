import { groupConfigTable } from './group-config.ts'
import {
  configSource,
  type ConfigLayer,
  type ConfigSource,
  type LiveConfiguration,
} from './live-configuration.ts'
import { isDynamic, type Setting, type SettingType } from './setting.ts'
import { isProblem, parse, textOf } from './setting-value.ts'
import { camel, settingNames, settingOf, type SettingName } from './settings.ts'
import { topicConfigNames, topicConfigOf } from './topic-config-table.ts'

/** One row of the answer to DescribeConfigs, in the protocol's own numbers. */
export interface ConfigDescription {
  readonly name: string
  /** null: it has none of its own. */
  readonly value: string | null
  readonly source: ConfigSource
  readonly isDefault: boolean
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  /** Every value that stands for this one as Kafka tells them, the one in force first. */
  readonly synonyms: readonly ConfigSynonym[]
  /** 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list. */
  readonly type: number
  readonly documentation: string
}

interface ConfigSynonym {
  readonly name: string
  readonly value: string
  readonly source: ConfigSource
}

/**
 * Every config of a topic with these `overrides`, sorted by name. `ofCluster`: defaults that the metadata log alone tells, by
 * name; what this broker was started with counts for nothing there.
 */
export function describeTopicConfigs(
  configuration: LiveConfiguration,
  overrides: ReadonlyMap<string, string>,
  ofCluster: ReadonlyMap<string, string> = new Map(),
): ConfigDescription[] {
  const inForce = configuration.topicConfig(overrides)
  return topicConfigNames.flatMap(name => {
    const setting = topicConfigOf(name)
    const override = overrides.get(name)
    if (setting.described === 'where given' && override === undefined) return []
    const own: ConfigSynonym[] =
      override === undefined
        ? []
        : [{ name, value: shown(setting, override), source: configSource.topic }]
    const ofBroker = setting.broker === null ? [] : synonymsOf(configuration, setting.broker)
    const known = ofCluster.get(name)
    const beneath = known === undefined ? ofBroker : knownToAll(ofBroker, known)
    const value = known ?? textOf(setting, inForce[camel(name)])
    return [describe(name, setting, { synonyms: [...own, ...beneath], value })]
  })
}

/** Of what stands for a config beneath a topic's own, what is the same for every broker. */
function knownToAll(synonyms: readonly ConfigSynonym[], byDefault: string): ConfigSynonym[] {
  return synonyms.flatMap(synonym => {
    if (synonym.source === configSource.dynamicDefault) return synonym
    return synonym.source === configSource.default ? { ...synonym, value: byDefault } : []
  })
}

/** Every setting of the broker, sorted by name. */
export function describeBrokerConfigs(configuration: LiveConfiguration): ConfigDescription[] {
  return settingNames
    .flatMap(name => {
      const setting = settingOf(name)
      const synonyms = synonymsOf(configuration, name)
      if (setting.described === 'where given' && synonyms.length === 0) return []
      const value = setting.isDefaultOurs ? textOf(setting, setting.default) : null
      return [describe(name, setting, { synonyms, value }), ...describeAliases(configuration, name)]
    })
    .toSorted(byName)
}

/** A setting by its other names: read only, since only the one name can be given to a running broker. */
function describeAliases(configuration: LiveConfiguration, name: SettingName): ConfigDescription[] {
  const setting = settingOf(name)
  return Object.entries(setting.aliases).map(([alias, factor]) => {
    const row = { ...setting, isFixed: true, doc: `Another name of ${name}.` }
    if (factor === 1) {
      const synonyms = synonymsOf(configuration, name).map(layer => ({ ...layer, name: alias }))
      return describe(alias, row, { synonyms, value: null })
    }
    const doc = `${name} in units of ${factor} ms.`
    const synonyms = told(configuration.layersOfAlias(name, alias))
    return describe(alias, { ...row, type: 'int', doc }, { synonyms, value: null })
  })
}

/** What was changed for all brokers together, sorted by name; nothing else. */
export function describeCommonConfigs(configuration: LiveConfiguration): ConfigDescription[] {
  return settingNames
    .flatMap(name => {
      const synonyms = synonymsOf(configuration, name).filter(
        ({ source }) => source === configSource.dynamicDefault,
      )
      return synonyms.length === 0
        ? []
        : [describe(name, settingOf(name), { synonyms, value: null })]
    })
    .toSorted(byName)
}

/** Every config of a consumer group with these `configs` of its own, sorted by name. */
export function describeGroupConfigs(configs: ReadonlyMap<string, string>): ConfigDescription[] {
  const rows = [...groupConfigTable].map(([name, setting]) => {
    const own = configs.get(name)
    const above = own === undefined ? [] : [{ name, value: own, source: configSource.group }]
    const beneath = { name, value: textOf(setting, setting.default), source: configSource.default }
    return describe(name, setting, { synonyms: [...above, beneath], value: null })
  })
  return rows.toSorted(byName)
}

/** The first of the synonyms is in force; where there is none, `value` is, by default. */
function describe(
  name: string,
  setting: Setting,
  {
    synonyms,
    value,
  }: { readonly synonyms: readonly ConfigSynonym[]; readonly value: string | null },
): ConfigDescription {
  const inForce = synonyms[0] ?? { value, source: configSource.default }
  return {
    name,
    value: inForce.value,
    source: inForce.source,
    isDefault: inForce.source === configSource.default,
    isReadOnly: !isDynamic(setting),
    isSensitive: false,
    synonyms,
    type: typeNumbers[setting.type],
    documentation:
      setting.effect === 'never'
        ? `${setting.doc} Kept and described, without effect.`
        : setting.doc,
  }
}

function synonymsOf(configuration: LiveConfiguration, name: SettingName): ConfigSynonym[] {
  return told(configuration.layersOf(name))
}

function told(layers: readonly ConfigLayer[]): ConfigSynonym[] {
  return layers.map(({ name, text, source }) => ({ name, value: text, source }))
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
}

function byName(a: ConfigDescription, b: ConfigDescription): number {
  return a.name < b.name ? -1 : 1
}
