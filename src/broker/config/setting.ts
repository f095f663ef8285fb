/** What a number counts; shown in `--help` and in docs/settings.md. */
type Unit =
  | 'bytes'
  | 'ms'
  | 'minutes'
  | 'records'
  | 'connections'
  | 'requests'
  | 'threads'
  | 'count'

/** Kafka's names for the types of settings, as DescribeConfigs tells them. */
export type SettingType = 'boolean' | 'string' | 'short' | 'int' | 'long' | 'double' | 'list'

/**
 * When a value that was changed takes effect. `never`: it is accepted, kept and described because tools set or
 * read it, and nothing here goes by it.
 */
type Effect = 'at once' | 'for new segments' | 'at restart' | 'never'

export type SettingValue = boolean | number | string

type Except = number | readonly [from: number, to: number]

/** What can be configured: one row of a table, from which everything else about it is derived. */
export interface Setting<
  T extends SettingValue = SettingValue,
  Broker extends string | null = string | null,
> {
  readonly type: SettingType
  readonly default: T
  readonly unit: Unit | null
  /** Least and greatest value of a number, both allowed; infinite where only the type sets bounds. */
  readonly min: number
  readonly max: number
  /** Numbers between these that are not allowed all the same: one, or from one to another. */
  readonly except: readonly Except[]
  /** Of a topic's config: those that the broker's setting beneath it may not have besides. */
  readonly brokerExcept: readonly Except[]
  /** The values allowed; null where any text is. */
  readonly oneOf: readonly string[] | null
  /** The items that a list may have; null where it may have any. */
  readonly items: Items | null
  readonly effect: Effect
  /** Cannot be changed while the broker runs; so it is with all that takes effect at restart. */
  readonly isFixed: boolean
  readonly described: Described
  /** Kafka has no default of it, and tells none as a synonym. */
  readonly isDefaultOurs: boolean
  /** Of a topic's config: the broker's setting beneath it, which is described by the same row; null where none is. */
  readonly broker: Broker
  /**
   * Kafka's other names of it, with the factor into our unit; where several are given, the finest unit counts. Of
   * those in coarser units the last is the one that Kafka tells the default under.
   */
  readonly aliases: Readonly<Record<string, number>>
  readonly doc: string
}

/** When tools that list configs see it. */
type Described = 'always' | 'where given'

/** What may stand in a list. */
export interface Items {
  /** In a few words, to follow "must be". */
  readonly text: string
  /** Neither order nor number of an item mean anything. */
  readonly isSet: boolean
  /** The first item that may not stand there; undefined where all may. */
  wrongOf(items: readonly string[]): string | undefined
}

/** Numbers are exact up to here only; a greater 64-bit value has the effect of this one, and is kept as it was given. */
export const longMax = Number.MAX_SAFE_INTEGER

interface Row<T extends SettingValue, Broker extends string | null> {
  readonly broker?: Broker
  readonly default: T
  readonly effect: Effect
  readonly isFixed?: boolean
  readonly described?: Described
  readonly isDefaultOurs?: boolean
  readonly aliases?: Readonly<Record<string, number>>
  readonly doc: string
}

interface NumberRow<Broker extends string | null> extends Row<number, Broker> {
  readonly unit?: Unit
  readonly min?: number
  readonly max?: number
  readonly except?: readonly Except[]
  readonly brokerExcept?: readonly Except[]
}

/** A 16-bit integer; not negative unless the row says so. */
export function short<const Broker extends string | null = null>(row: NumberRow<Broker>) {
  return made('short', row, { max: 2 ** 15 - 1, ...row })
}

/** A 32-bit integer; not negative unless the row says so. */
export function int<const Broker extends string | null = null>(row: NumberRow<Broker>) {
  return made('int', row, { max: 2 ** 31 - 1, ...row })
}

/** A 64-bit integer; not negative unless the row says so. */
export function long<const Broker extends string | null = null>(row: NumberRow<Broker>) {
  return made('long', row, row)
}

/** Not negative unless the row says so. */
export function double<const Broker extends string | null = null>(row: NumberRow<Broker>) {
  return made('double', row, row)
}

export function bool<const Broker extends string | null = null>(row: Row<boolean, Broker>) {
  return made('boolean', row)
}

export function text<const Broker extends string | null = null>(row: Row<string, Broker>) {
  return made('string', row)
}

export function choice<const T extends string, const Broker extends string | null = null>(
  oneOf: readonly T[],
  row: Row<NoInfer<T>, Broker>,
) {
  return made<T, Broker>('string', row, { oneOf })
}

/** Items separated by commas. Code sees those of a known set sorted, each once; any others as they were given. */
export function list<T extends string, const Broker extends string | null = null>(
  items: Items | null,
  row: Row<T, Broker>,
) {
  return made('list', row, { items })
}

export function anyOf(names: readonly string[]): Items {
  return {
    text: `any of ${names.join(', ')}, separated by commas, or none`,
    isSet: true,
    wrongOf: items => items.find(item => !names.includes(item)),
  }
}

/** Whether a broker takes a new value of it while it runs. */
export function isDynamic({ effect, isFixed }: Setting): boolean {
  return effect !== 'at restart' && !isFixed
}

function made<T extends SettingValue, Broker extends string | null>(
  type: SettingType,
  row: Row<T, Broker>,
  more: Partial<Setting> = {},
): Setting<T, Broker> {
  return { ...blank, ...more, ...row, type } as Setting<T, Broker>
}

const blank = {
  unit: null,
  min: 0,
  max: Infinity,
  except: [],
  brokerExcept: [],
  oneOf: null,
  items: null,
  isFixed: false,
  described: 'always',
  isDefaultOurs: false,
  broker: null,
  aliases: {},
} as const
