import { type ConfigLevel, isReadAt } from '../metadata/decided-configs.ts'
import { brokerConfigProblem, type BrokerConfigProblem } from './broker-config.ts'
import { isDynamic, type SettingValue } from './setting.ts'
import { isProblem, parse, textOf, type Parsed } from './setting-value.ts'
import {
  camel,
  isSettingName,
  settingNames,
  settingOf,
  type Configuration,
  type SettingName,
  type Settings,
} from './settings.ts'
import {
  topicConfig,
  topicConfigConflict,
  validateTopicConfigs,
  type TopicConfig,
} from './topic-config.ts'
import { isTopicConfigName, topicConfigOf } from './topic-config-table.ts'

/** Where a value comes from, as DescribeConfigs numbers it. */
export const configSource = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefault: 3,
  staticBroker: 4,
  default: 5,
  group: 8,
} as const

export type ConfigSource = (typeof configSource)[keyof typeof configSource]

/** One of the values that a setting has, as text. */
export interface ConfigLayer {
  /** The setting, or its name in a coarser unit. */
  readonly name: string
  readonly source: ConfigSource
  readonly text: string
}

type Configs = ReadonlyMap<string, string>

/** What the metadata log says of brokers' settings. */
export interface DynamicConfigs {
  /** Of this broker alone. */
  readonly own: Configs
  /** Of all brokers. */
  readonly common: Configs
}

/** What changed, for the log. */
export interface ConfigurationChange {
  readonly changed: Readonly<Record<string, SettingValue>>
  /** Values that cannot be used, or that nobody reads there (of another version): they count as not given. */
  readonly unusable: readonly string[]
}

/**
 * The settings in force: what the broker was started with, under what was changed since. `settings` is a live
 * view: whoever keeps it and reads a setting when it is needed sees every change of a dynamic one.
 */
export class LiveConfiguration implements Configuration {
  /** Plain values and no accessors: they are read with every fetch and batch. */
  readonly settings: Settings
  readonly given: ReadonlyMap<string, string>
  /** As the broker was started. */
  readonly #started: Settings
  #dynamic: DynamicConfigs = { own: new Map(), common: new Map() }
  /** By the topic's own configs: what all of its partitions go by. Begun anew whenever a setting changes. */
  #topics = new WeakMap<Configs, TopicConfig>()

  constructor({ settings, given }: Configuration) {
    this.given = given
    this.#started = settings
    this.settings = { ...settings }
  }

  /** Puts what the metadata log says in force; null where it is what it was. */
  take(dynamic: DynamicConfigs): ConfigurationChange | null {
    if (dynamic.own === this.#dynamic.own && dynamic.common === this.#dynamic.common) return null
    this.#dynamic = dynamic
    this.#topics = new WeakMap()
    const before = { ...this.settings }
    const unusable: string[] = []
    const after: Record<string, SettingValue> = { ...this.#started }
    for (const [level, configs] of [
      ['all brokers', dynamic.common],
      ['one broker', dynamic.own],
    ] as const) {
      for (const [name, text] of configs) {
        const usable = parseUsable(name, text, level)
        if (usable === null) unusable.push(`${name}=${text}`)
        else after[camel(name)] = usable.value
      }
    }
    Object.assign(this.settings, after)
    const changed = settingNames.filter(name => before[keyOf(name)] !== this.settings[keyOf(name)])
    return {
      changed: Object.fromEntries(changed.map(name => [name, this.settings[keyOf(name)]])),
      unusable,
    }
  }

  /**
   * The values that stand for a setting, the one in force first, in the order of Kafka's KIP-226. As Kafka tells them:
   * none, where a setting has a value only by its name in a coarser unit.
   */
  layersOf(name: SettingName): readonly ConfigLayer[] {
    const layers = this.#layers(name)
    const first = layers.findIndex(layer => layer.name === name)
    return first < 0 ? [] : layers.slice(first)
  }

  /** Those that stand for a setting by another of its names. */
  layersOfAlias(name: SettingName, alias: string): readonly ConfigLayer[] {
    return this.#layers(name).filter(layer => layer.name === alias)
  }

  /** What a topic with these `overrides` goes by now. The same map gives the same object until a setting changes. */
  topicConfig(overrides: Configs): TopicConfig {
    let config = this.#topics.get(overrides)
    if (config === undefined) {
      config = topicConfig(this.settings, overrides)
      this.#topics.set(overrides, config)
    }
    return config
  }

  /** What is wrong with the configs of a topic, for the client; null where nothing is. Of those that are not `given` now, nothing counts. */
  problemOfTopic(configs: Configs, given: ReadonlySet<string> = namesOf(configs)): string | null {
    const wishes = [...given].map(name => ({ name, value: configs.get(name)! }))
    const [problem] = validateTopicConfigs(wishes)
    return problem?.message ?? topicConfigConflict(topicConfig(this.settings, configs), given)
  }

  /** Why these settings cannot be given while the broker runs; null where they can. Of those that are not `given` now, nothing counts. */
  problemOf(
    configs: Configs,
    given: ReadonlySet<string> = namesOf(configs),
  ): BrokerConfigProblem | null {
    return brokerConfigProblem(this.#started, configs, given)
  }

  /**
   * The items that a list has where the topic, this broker (`own`) or all brokers (`common`) do not say otherwise;
   * null where the name is no list's.
   */
  listBeneath(whose: 'topic' | 'own' | 'common', name: string): string | null {
    if (whose === 'topic') {
      if (!isTopicConfigName(name) || topicConfigOf(name).type !== 'list') return null
      const { broker, default: byDefault } = topicConfigOf(name)
      return broker === null ? String(byDefault) : (this.layersOf(broker)[0]?.text ?? null)
    }
    if (!isSettingName(name) || settingOf(name).type !== 'list') return null
    const above: ConfigSource[] = [configSource.dynamicBroker]
    if (whose === 'common') above.push(configSource.dynamicDefault)
    return this.layersOf(name).find(({ source }) => !above.includes(source))?.text ?? null
  }

  #layers(name: SettingName): ConfigLayer[] {
    return [
      ...this.#dynamicLayer(name, 'one broker'),
      ...this.#dynamicLayer(name, 'all brokers'),
      ...this.#staticLayers(name),
      ...this.#defaultLayer(name),
    ]
  }

  #dynamicLayer(name: SettingName, level: 'one broker' | 'all brokers'): ConfigLayer[] {
    const isOwn = level === 'one broker'
    const text = (isOwn ? this.#dynamic.own : this.#dynamic.common).get(name)
    const usable = text === undefined ? null : parseUsable(name, text, level)
    const source = isOwn ? configSource.dynamicBroker : configSource.dynamicDefault
    return usable === null ? [] : [{ name, source, text: usable.text }]
  }

  #staticLayers(name: SettingName): ConfigLayer[] {
    const { aliases } = settingOf(name)
    return [name, ...Object.keys(aliases)].flatMap(given => {
      const text = this.given.get(given)
      if (text === undefined) return []
      const told = aliases[given] === 1 ? name : given
      return [{ name: told, source: configSource.staticBroker, text }]
    })
  }

  #defaultLayer(name: SettingName): ConfigLayer[] {
    const setting = settingOf(name)
    const source = configSource.default
    if (setting.isDefaultOurs || setting.described === 'where given') return []
    const [alias, factor] = Object.entries(setting.aliases).findLast(([, by]) => by > 1) ?? []
    if (alias !== undefined && factor !== undefined) {
      return [{ name: alias, source, text: String(Number(setting.default) / factor) }]
    }
    const isGiven = this.#staticLayers(name).length > 0
    const value = isGiven ? setting.default : this.#started[keyOf(name)]
    return [{ name, source, text: textOf(setting, value) }]
  }
}

/** A value for a setting that can change; null where it is none of those, or the text is none of its values, or nobody reads it there. */
function parseUsable(name: string, text: string, level: ConfigLevel): Parsed | null {
  if (!isSettingName(name) || !isDynamic(settingOf(name)) || !isReadAt(name, level)) return null
  const parsed = parse(settingOf(name), text)
  return isProblem(parsed) ? null : parsed
}

function namesOf(configs: Configs): ReadonlySet<string> {
  return new Set(configs.keys())
}

function keyOf(name: SettingName): keyof Settings {
  return camel(name)
}
