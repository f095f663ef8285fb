import { whyAbsent } from './absent-settings.ts'
import { nearest } from './nearest.ts'
import { isDynamic, type SettingValue } from './setting.ts'
import { isProblem, parse } from './setting-value.ts'
import { camel, isSettingName, settingNames, settingOf, type Settings } from './settings.ts'
import { sizeProblems, type SizeProblem } from './sizes.ts'

/** Why a setting cannot be given to a running broker: what is wrong, and what to do. */
export interface BrokerConfigProblem {
  readonly error: 'INVALID_CONFIG' | 'INVALID_REQUEST'
  readonly message: string
}

/**
 * The first thing that is wrong with those of `configs` that are `given` now, over what the broker was `started` with; null where nothing
 * is. The others were judged when they came: by another version, or by a controller with another memory.
 */
export function brokerConfigProblem(
  started: Settings,
  configs: ReadonlyMap<string, string>,
  given: ReadonlySet<string>,
): BrokerConfigProblem | null {
  const values: Record<string, SettingValue> = { ...started }
  for (const [name, text] of configs) {
    const value = valueOf(name, text)
    if (!isMistaken(value)) values[camel(name)] = value
    else if (given.has(name)) return value
  }
  const settings = values as unknown as Settings
  const together = [...sizeProblems(settings), ...localRetentionProblems(settings)]
  const wrong = together.find(({ names }) => names.some(name => given.has(name)))
  return wrong === undefined ? null : { error: 'INVALID_CONFIG', message: wrong.text }
}

function valueOf(name: string, text: string): SettingValue | BrokerConfigProblem {
  if (!isSettingName(name)) return unknown(name)
  const setting = settingOf(name)
  if (!isDynamic(setting)) {
    return invalidRequest(
      `${name} cannot be changed while the broker runs: change it in its configuration and restart it`,
    )
  }
  const parsed = parse(setting, text)
  if (!isProblem(parsed)) return parsed.value
  return { error: 'INVALID_CONFIG', message: `${name} ${parsed.problem}` }
}

function isMistaken(value: SettingValue | BrokerConfigProblem): value is BrokerConfigProblem {
  return typeof value === 'object'
}

/**
 * As in Kafka (DynamicLogConfig): beside tiered storage nothing stays for longer than it is kept at all. Only a change is judged
 * by it, since there is no tiered storage here and what a broker was started with does no harm.
 */
function localRetentionProblems(settings: Settings): SizeProblem[] {
  const problems: SizeProblem[] = []
  const check = (unit: 'ms' | 'bytes', whole: number, local: number): void => {
    if (whole < 0 || local === -2 || (local >= 0 && local <= whole)) return
    const names = [`log.retention.${unit}`, `log.local.retention.${unit}`] as const
    const text = `${names[1]} is ${local} and more than ${names[0]}, which is ${whole}: lower the first, or give it as -2`
    problems.push({ names, text })
  }
  check('ms', settings.logRetentionMs, settings.logLocalRetentionMs)
  check('bytes', settings.logRetentionBytes, settings.logLocalRetentionBytes)
  return problems
}

function unknown(name: string): BrokerConfigProblem {
  const meant = settingNames.find(each => name in settingOf(each).aliases)
  if (meant !== undefined) {
    return invalidRequest(`${name} cannot be changed while the broker runs: change ${meant}`)
  }
  const why = whyAbsent(name)
  if (why !== null) {
    return { error: 'INVALID_CONFIG', message: `${name} is Kafka's, and none here: ${why}` }
  }
  const likely = nearest(name, settingNames)
  const hint = likely === null ? '' : `; did you mean ${likely}?`
  return { error: 'INVALID_CONFIG', message: `there is no setting ${name}${hint}` }
}

function invalidRequest(message: string): BrokerConfigProblem {
  return { error: 'INVALID_REQUEST', message }
}
