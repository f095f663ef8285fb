import { errorName, type ErrorName } from '../wire/errors.ts'
import type { Api, Fields } from '../wire/field.ts'

/** One error that an answer tells. */
export interface AnswerError {
  readonly error: ErrorName
  /** What the answer says beside the code; null where it says nothing. */
  readonly message: string | null
  /** The topic, group, user or other name that the error is about; null where the answer names none beside it. */
  readonly about: string | null
}

/** Finds the errors in responses of one API. */
export type FindErrors = (response: unknown) => AnswerError[]

/** Made once an API from its table, so that an answer without an error costs a look at its codes and no more. */
export function errorFinder(api: Api): FindErrors {
  const look = lookInto(api.response)
  return response => {
    let found: AnswerError[] = none
    look?.(
      response as Struct,
      (code, message, about) => {
        if (found === none) found = []
        found.push({ error: errorName(code), message, about })
      },
      null,
    )
    return found
  }
}

const none: AnswerError[] = []

type Struct = Readonly<Record<string, unknown>>
type Found = (code: number, message: string | null, about: string | null) => void
type Look = (struct: Struct, found: Found, about: string | null) => void

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
  const nameField = nameFields.find(name => name in fields)
  return (struct, found, outer) => {
    const name = nameField === undefined ? undefined : struct[nameField]
    const about = typeof name === 'string' && name !== '' ? name : outer
    const code = struct['errorCode']
    if (hasCode && typeof code === 'number' && code !== 0) found(code, messageOf(struct), about)
    for (const { name, look } of inner) {
      const elements = struct[name]
      if (!Array.isArray(elements)) continue
      for (const element of elements as Struct[]) look(element, found, about)
    }
  }
}

/** What Kafka's answers call the thing that an error is about. */
const nameFields = ['name', 'topic', 'topicName', 'groupId', 'resourceName', 'user', 'key']

function messageOf(struct: Struct): string | null {
  const message = struct['errorMessage']
  return typeof message === 'string' && message !== '' ? message : null
}
