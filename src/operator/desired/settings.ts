import { ConfigurationError, load } from '../../broker/config/load.ts'
import { isDynamic } from '../../broker/config/setting.ts'
import { textOf } from '../../broker/config/setting-value.ts'
import {
  camel,
  isSettingName,
  settingNames,
  settingOf,
  type Configuration,
  type SettingName,
} from '../../broker/config/settings.ts'
import { configTexts } from '../crd/config-texts.ts'
import { operatorSettings } from './properties.ts'

/** `spec.config` as the table of settings sees it. */
export type WantedSettings =
  | {
      readonly kind: 'settings'
      /** Those that need a restart, as they were given, by name in order: they go into the broker's file. */
      readonly fixed: ReadonlyMap<string, string>
      /** Those that a running broker takes, under Kafka's name and in its unit, by name in order. */
      readonly dynamic: ReadonlyMap<string, string>
    }
  | {
      readonly kind: 'problems'
      /** Of the condition that tells them. */
      readonly reason: 'InvalidConfig' | 'AddressShared'
      readonly problems: readonly string[]
    }

/**
 * Tells dynamic settings from fixed ones. Sentences instead where a name, a value or a relation is wrong, or a setting is
 * the operator's: then nothing of a running broker may be touched, since nobody knows what was meant.
 */
export function wantedSettings(config: Readonly<Record<string, unknown>>): WantedSettings {
  const { texts, complaints } = configTexts(config)
  const problems = [...complaints, ...[...texts.keys()].flatMap(ownProblem)]
  if (problems.length > 0) {
    return invalid(problems.map(problem => `spec.config: ${problem}`))
  }
  const args = [...texts].toSorted(byName).flatMap(([name, text]) => ['--set', `${name}=${text}`])
  try {
    const given = { args, environment: {}, readFile: () => '', version: '' }
    const loaded = load({ ...given, isForRunning: true })
    if (loaded.kind !== 'configuration') return invalid([loaded.text])
    return { kind: 'settings', ...sorted(loaded.configuration) }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return invalid(error.problems.map(sentence))
  }
}

function invalid(problems: readonly string[]): WantedSettings {
  return { kind: 'problems', reason: 'InvalidConfig', problems }
}

function sorted({ settings, given }: Configuration) {
  const fixed = new Map<string, string>()
  const dynamic = new Map<string, string>()
  for (const [name, text] of [...given].toSorted(byName)) {
    const meant = meantBy(name)
    const setting = settingOf(meant)
    if (!isDynamic(setting)) fixed.set(name, text)
    else dynamic.set(meant, name === meant ? text : textOf(setting, settings[camel(meant)]))
  }
  return { fixed, dynamic }
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1
}

/** What is the operator's to set, whatever a broker by itself would say to it. */
function ownProblem(name: string): string[] {
  const isOurs =
    operatorSettings.has(name) || (isAlias(name) && operatorSettings.has(meantBy(name)))
  return isOurs ? [`${name} is set by the operator: leave it out`] : []
}

function isAlias(name: string): boolean {
  return !isSettingName(name) && settingNames.some(each => name in settingOf(each).aliases)
}

/** The setting that `name`, one or an alias of one, stands for. */
function meantBy(name: string): SettingName {
  if (isSettingName(name)) return name
  return settingNames.find(each => name in settingOf(each).aliases)!
}

/** A problem of the command line as one of the spec. */
function sentence(problem: string): string {
  return problem.replace(/^--set: /, 'spec.config: ').replace(' (--help lists all)', '')
}
