import { errorName, type ErrorName } from '../wire/errors.ts'
import type { Api, Fields } from '../wire/field.ts'

/** One error that an answer tells. */
export interface AnswerError {
  readonly error: ErrorName
  /** What the answer says beside the code; null where it says nothing. */
  readonly message: string | null
}

/** Finds the errors in responses of one API. */
export type FindErrors = (response: unknown) => AnswerError[]

/** Made once an API from its table, so that an answer without an error costs a look at its codes and no more. */
export function errorFinder(api: Api): FindErrors {
  const look = lookInto(api.response)
  return response => {
    let found: AnswerError[] = none
    look?.(response as Struct, (code, message) => {
      if (found === none) found = []
      found.push({ error: errorName(code), message })
    })
    return found
  }
}

const none: AnswerError[] = []

type Struct = Readonly<Record<string, unknown>>
type Found = (code: number, message: string | null) => void
type Look = (struct: Struct, found: Found) => void

/** null where nothing inside can tell an error. */
function lookInto(fields: Fields): Look | null {
  const hasCode = 'errorCode' in fields
  const inner = Object.entries(fields).flatMap(([name, field]) => {
    const { kind } = field
    if (kind.type !== 'array' || kind.of.kind.type !== 'struct') return []
    const look = lookInto(kind.of.kind.fields)
    return look === null ? [] : [{ name, look }]
  })
  if (!hasCode && inner.length === 0) return null
  return (struct, found) => {
    const code = struct['errorCode']
    if (hasCode && typeof code === 'number' && code !== 0) found(code, messageOf(struct))
    for (const { name, look } of inner) {
      const elements = struct[name]
      if (!Array.isArray(elements)) continue
      for (const element of elements as Struct[]) look(element, found)
    }
  }
}

function messageOf(struct: Struct): string | null {
  const message = struct['errorMessage']
  return typeof message === 'string' && message !== '' ? message : null
}
