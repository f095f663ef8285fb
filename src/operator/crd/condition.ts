import { z } from 'zod'
import { field, integer, listBy, text } from './field.ts'

/** What one type of condition says while it is True. */
export type ConditionTable = Readonly<Record<string, string>>

export type ConditionStatus = 'True' | 'False' | 'Unknown'

/** As metav1.Condition. `lastTransitionTime` moves only with `status`. */
export interface Condition<Type extends string = string> {
  type: Type
  status: ConditionStatus
  /** The generation of the spec that was looked at. */
  observedGeneration?: number | undefined
  lastTransitionTime: string
  /** CamelCase, one word for programs. */
  reason: string
  /** A sentence for people. */
  message: string
}

/** The list of conditions of a kind whose types are the keys of `table`. */
export function conditions<Table extends ConditionTable>(table: Table) {
  type Type = keyof Table & string
  const condition = z.object({
    type: field(typeName<Type>(), { text: `One of ${Object.keys(table).join(', ')}.` }),
    status: field(z.enum(['True', 'False', 'Unknown']), { text: 'True, False or Unknown.' }),
    observedGeneration: field(integer(0, Number.MAX_SAFE_INTEGER).optional(), {
      text: 'The generation of the spec that was looked at.',
    }),
    lastTransitionTime: field(text(40), {
      text: 'When the status became what it is.',
      format: 'date-time',
    }),
    reason: field(text(128), { text: 'One word for programs.' }),
    message: field(text(4096), { text: 'A sentence for people.' }),
  })
  return field(listBy('type', condition, 32), {
    text: Object.entries(table)
      .map(([type, sentence]) => `${type}: ${sentence}`)
      .join(' '),
  })
}

/** More types may come with a later operator, so the schema lets every name pass. */
function typeName<Type extends string>(): z.ZodType<Type, Type> {
  return text(64) as z.ZodType<string, string> as z.ZodType<Type, Type>
}

/** What an object has of conditions before the operator has looked at it for the first time. */
export function notLookedAt<Table extends ConditionTable>(
  table: Table,
): Condition<keyof Table & string>[] {
  return Object.keys(table).map(type => ({
    type,
    status: 'Unknown',
    lastTransitionTime: '1970-01-01T00:00:00Z',
    reason: 'Pending',
    message: 'The operator has not looked at this object yet.',
  }))
}
