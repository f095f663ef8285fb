import { whyAbsent } from './absent-settings.ts'
import { nearest } from './nearest.ts'
import { isDynamic } from './setting.ts'
import { isProblem, parse } from './setting-value.ts'
import { camel, isSettingName, settingNames, settingOf, type Settings } from './settings.ts'
import { sizeProblems } from './sizes.ts'

/** Why a setting cannot be given to a running broker: what is wrong, and what to do. */
export interface BrokerConfigProblem {
  readonly error: 'INVALID_CONFIG' | 'INVALID_REQUEST'
  readonly message: string
}

/** The first thing that is wrong with `configs` over what the broker was `started` with; null where nothing is. */
export function brokerConfigProblem(
  started: Settings,
  configs: ReadonlyMap<string, string>,
): BrokerConfigProblem | null {
  const values: Record<string, unknown> = { ...started }
  for (const [name, text] of configs) {
    if (!isSettingName(name)) return unknown(name)
    const setting = settingOf(name)
    if (!isDynamic(setting)) {
      return invalidRequest(
        `${name} cannot be changed while the broker runs: change it in its configuration and restart it`,
      )
    }
    const parsed = parse(setting, text)
    if (isProblem(parsed)) return { error: 'INVALID_CONFIG', message: `${name} ${parsed.problem}` }
    values[camel(name)] = parsed.value
  }
  const [together] = [
    ...sizeProblems(values as unknown as Settings),
    ...localRetentionProblems(values as unknown as Settings, configs),
  ]
  return together === undefined ? null : { error: 'INVALID_CONFIG', message: together }
}

/**
 * As in Kafka (DynamicLogConfig): beside tiered storage nothing stays for longer than it is kept at all. Looked at where one
 * of the two is given, since there is no tiered storage here and what a broker was started with does no harm.
 */
function localRetentionProblems(
  settings: Settings,
  configs: ReadonlyMap<string, string>,
): string[] {
  const problems: string[] = []
  const check = (unit: 'ms' | 'bytes', whole: number, local: number): void => {
    const [wholeName, localName] = [`log.retention.${unit}`, `log.local.retention.${unit}`]
    if (!configs.has(wholeName) && !configs.has(localName)) return
    if (whole < 0 || local === -2 || (local >= 0 && local <= whole)) return
    problems.push(
      `${localName} is ${local} and more than ${wholeName}, which is ${whole}: lower the first, or give it as -2`,
    )
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
