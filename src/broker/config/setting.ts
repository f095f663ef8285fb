/** What a number counts; shown in `--help` and in docs/settings.md. */
export type Unit =
  | 'bytes'
  | 'ms'
  | 'minutes'
  | 'records'
  | 'connections'
  | 'requests'
  | 'threads'
  | 'count'

/** Kafka's names for the types of settings, as DescribeConfigs tells them. */
export type SettingType = 'boolean' | 'int' | 'long' | 'string' | 'list'

/** One row of the table of settings. */
export interface Setting<T extends SettingValue = SettingValue> {
  readonly type: SettingType
  readonly default: T
  readonly unit: Unit | null
  /** Least and greatest value of a number, both allowed. */
  readonly min: number
  readonly max: number
  /** The values allowed (of a list: its items); null where any text is. */
  readonly oneOf: readonly string[] | null
  /**
   * Can be changed while the broker runs, as can the topic's override where there is one: such a setting is read
   * through a live view (`LiveConfiguration`) wherever it is used.
   */
  readonly dynamic: boolean
  /** Kafka's name of the same setting on a topic; null where a topic cannot override it. */
  readonly topic: string | null
  /** Kafka's other names of it in coarser units, with the factor into ours; where several are given, the finest unit counts. */
  readonly aliases: Readonly<Record<string, number>>
  readonly doc: string
}

export type SettingValue = boolean | number | string

interface Common {
  /** Not given: what a topic can override. */
  readonly dynamic?: boolean
  readonly topic?: string
  readonly aliases?: Readonly<Record<string, number>>
  readonly doc: string
}

interface NumberRow extends Common {
  readonly default: number
  readonly unit?: Unit
  readonly min?: number
  readonly max?: number
}

/** A 32-bit integer. */
export function int(row: NumberRow): Setting<number> {
  return number('int', 2 ** 31 - 1, row)
}

/** A 64-bit integer, as far as numbers are exact. */
export function long(row: NumberRow): Setting<number> {
  return number('long', Number.MAX_SAFE_INTEGER, row)
}

export function bool(row: Common & { readonly default: boolean }): Setting<boolean> {
  return { ...blank, ...live(row), ...row, type: 'boolean' }
}

export function text(row: Common & { readonly default: string }): Setting<string> {
  return { ...blank, ...live(row), ...row, type: 'string' }
}

export function choice<const T extends string>(
  oneOf: readonly T[],
  row: Common & { readonly default: NoInfer<T> },
): Setting<T> {
  return { ...blank, ...live(row), ...row, type: 'string', oneOf }
}

/** Items of `oneOf` separated by commas; the value has them sorted and once each. `T` names the combinations. */
export function list<T extends string>(
  oneOf: readonly string[],
  row: Common & { readonly default: T },
): Setting<T> {
  return { ...blank, ...live(row), ...row, type: 'list', oneOf }
}

/** The value that `given` stands for, or the sentence that says what is wrong with it, to follow the setting's name. */
export function parseValue(setting: Setting, given: string): SettingValue | ValueProblem {
  const trimmed = given.trim()
  switch (setting.type) {
    case 'boolean':
      return parseBoolean(trimmed)
    case 'int':
    case 'long':
      return parseNumber(setting, trimmed)
    case 'string':
      return parseText(setting, trimmed)
    case 'list':
      return parseList(setting, trimmed)
  }
}

/** As tools show it. Kafka writes "without limit" as the greatest 64-bit number; they compare with that. */
export function textOf(setting: Setting, value: SettingValue): string {
  const isWithoutLimit = setting.type === 'long' && value === Number.MAX_SAFE_INTEGER
  return isWithoutLimit ? '9223372036854775807' : String(value)
}

export interface ValueProblem {
  readonly problem: string
}

export function isProblem(value: SettingValue | ValueProblem): value is ValueProblem {
  return typeof value === 'object'
}

/** What a value may be, in a few words. */
export function rangeText(setting: Setting): string {
  if (setting.type === 'boolean') return 'true or false'
  if (setting.oneOf !== null) {
    const joined = setting.oneOf.map(item => (item === '' ? '(empty)' : item)).join(', ')
    return setting.type === 'list' ? `any of ${joined}, separated by commas` : `one of ${joined}`
  }
  if (setting.type === 'string') return 'text'
  const least = setting.min
  const unit = setting.unit === null ? '' : ` ${setting.unit}`
  if (setting.max === Number.MAX_SAFE_INTEGER) return `at least ${least}${unit}`
  return `${least} to ${setting.max}${unit}`
}

const blank = {
  unit: null,
  min: 0,
  max: 0,
  oneOf: null,
  dynamic: false,
  topic: null,
  aliases: {},
} as const

function number(type: 'int' | 'long', greatest: number, row: NumberRow): Setting<number> {
  return { ...blank, min: 0, max: greatest, ...live(row), ...row, type }
}

/** What a topic overrides is worked out anew whenever configs change; so the broker's value may change too. */
function live({ topic }: Common): { readonly dynamic: boolean } {
  return { dynamic: topic !== undefined }
}

function parseBoolean(given: string): boolean | ValueProblem {
  const lower = given.toLowerCase()
  if (lower === 'true') return true
  if (lower === 'false') return false
  return { problem: `must be true or false, and '${given}' is neither` }
}

function parseNumber(setting: Setting, given: string): number | ValueProblem {
  if (!/^[+-]?\d+$/.test(given)) {
    return { problem: `must be a whole number (${rangeText(setting)}), and '${given}' is none` }
  }
  // Kafka's "without limit" is the greatest 64-bit number; ours is the greatest exact one.
  const value = Math.min(Number(given), Number.MAX_SAFE_INTEGER)
  if (value < setting.min || value > setting.max) {
    return { problem: `must be ${rangeText(setting)}, and ${given} is outside` }
  }
  return value
}

function parseText(setting: Setting, given: string): string | ValueProblem {
  if (setting.oneOf === null || setting.oneOf.includes(given)) return given
  return { problem: `must be ${rangeText(setting)}, and '${given}' is not` }
}

function parseList(setting: Setting, given: string): string | ValueProblem {
  const items = [...new Set(given.split(',').map(item => item.trim()))].toSorted()
  const wrong = items.find(item => !setting.oneOf?.includes(item))
  if (wrong === undefined) return items.join(',')
  return { problem: `must be ${rangeText(setting)}, and '${wrong}' is not` }
}
