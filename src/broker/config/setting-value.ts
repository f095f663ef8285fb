import { longMax, type Setting, type SettingType, type SettingValue } from './setting.ts'

/** What a text stands for: the value to go by, and the text as Kafka would show it. */
export interface Parsed {
  readonly value: SettingValue
  readonly text: string
}

export interface ValueProblem {
  /** What is wrong with the text, to follow the setting's name. */
  readonly problem: string
}

export function isProblem<T>(parsed: T | ValueProblem): parsed is ValueProblem {
  return typeof parsed === 'object' && parsed !== null && 'problem' in parsed
}

export function parse(setting: Setting, given: string): Parsed | ValueProblem {
  return parsers[setting.type](setting, given.trim())
}

/** A value as Kafka would show it: whole numbers without limit as the greatest of 64 bits, since tools compare with that. */
export function textOf({ type }: Setting, value: SettingValue): string {
  if (type === 'long' && value === longMax) return String(greatest.long)
  if (type === 'double' && typeof value === 'number') return javaDouble(value)
  return String(value)
}

/** What a value may be, in a few words. */
export function rangeText({ type, oneOf, items, min, max, except, unit }: Setting): string {
  if (type === 'boolean') return 'true or false'
  if (items !== null) return items.text
  if (oneOf !== null) {
    return `one of ${oneOf.map(item => (item === '' ? '(empty)' : item)).join(', ')}`
  }
  if (!numeric.has(type)) return type === 'list' ? 'texts, separated by commas' : 'text'
  const counted = unit === null ? '' : ` ${unit}`
  const gaps = except.map(each => (typeof each === 'number' ? String(each) : each.join(' to ')))
  const but = gaps.length === 0 ? '' : `, not ${gaps.join(', ')}`
  if (min === -Infinity) return `any number${counted}`
  return (max === Infinity ? `at least ${min}${counted}` : `${min} to ${max}${counted}`) + but
}

type Parser = (setting: Setting, given: string) => Parsed | ValueProblem

const numeric: ReadonlySet<SettingType> = new Set(['short', 'int', 'long', 'double'])

/** By the number of bits; the least is one further from zero. */
const greatest = { short: 2n ** 15n - 1n, int: 2n ** 31n - 1n, long: 2n ** 63n - 1n } as const

const parsers: Readonly<Record<SettingType, Parser>> = {
  boolean: parseBoolean,
  string: parseText,
  short: parseWhole,
  int: parseWhole,
  long: parseWhole,
  double: parseDouble,
  list: parseList,
}

function parseBoolean(_: Setting, given: string): Parsed | ValueProblem {
  const text = given.toLowerCase()
  if (text === 'true' || text === 'false') return { value: text === 'true', text }
  return { problem: `must be true or false, and '${given}' is neither` }
}

function parseText(setting: Setting, given: string): Parsed | ValueProblem {
  if (setting.oneOf === null || setting.oneOf.includes(given)) return { value: given, text: given }
  return { problem: `must be ${rangeText(setting)}, and '${given}' is not` }
}

function parseWhole(setting: Setting, given: string): Parsed | ValueProblem {
  if (!/^[+-]?\d+$/.test(given)) {
    return { problem: `must be a whole number (${rangeText(setting)}), and '${given}' is none` }
  }
  const exact = BigInt(given.replace('+', ''))
  const typeMax = greatest[setting.type as keyof typeof greatest]
  const isInside = isAllowed(setting, exact) && exact <= typeMax && exact >= -typeMax - 1n
  if (!isInside) return { problem: `must be ${rangeText(setting)}, and ${given} is outside` }
  const value = Math.max(-longMax, Math.min(Number(exact), longMax))
  return { value, text: String(exact) }
}

/** Java's forms, but for those in hexadecimal. */
function parseDouble(setting: Setting, given: string): Parsed | ValueProblem {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?$|^NaN$/.exec(given)
  if (match === null) {
    return { problem: `must be a number (${rangeText(setting)}), and '${given}' is none` }
  }
  const value = Number(match[1] ?? NaN)
  if (isAllowed(setting, value)) return { value, text: javaDouble(value) }
  return { problem: `must be ${rangeText(setting)}, and ${given} is outside` }
}

/** NaN is neither below nor above anything, and passes as it does in Kafka. */
function isAllowed({ min, max, except }: Setting, value: number | bigint): boolean {
  if (value < min || value > max) return false
  return !except.some(each => {
    const [from, to] = typeof each === 'number' ? [each, each] : each
    return value >= from && value <= to
  })
}

function parseList(setting: Setting, given: string): Parsed | ValueProblem {
  const listed = given === '' ? [] : given.split(',').map(item => item.trim())
  const items = setting.items?.isSet ? [...new Set(listed)] : listed
  const wrong = setting.items?.wrongOf(items)
  if (wrong !== undefined) {
    return { problem: `must be ${rangeText(setting)}, and '${wrong}' is not` }
  }
  const text = items.join(',')
  return { value: setting.items?.isSet ? items.toSorted().join(',') : text, text }
}

/** As Java's Double.toString: at least one digit behind the point, and an exponent outside [0.001, 10000000). */
function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) {
    return Number.isInteger(value) ? value.toFixed(1) : String(value)
  }
  const [digits, exponent] = value.toExponential().split('e') as [string, string]
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
}
