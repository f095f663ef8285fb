import type { MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { Answer, ControllerError } from './commands.ts'

/** What a command comes to: the records to append, the image as they will leave it, and the answer that waits for them. */
export interface Decision {
  readonly records: readonly MetadataRecord[]
  readonly image: MetadataImage
  readonly answer: Answer
}

/** A client's mistake in one item of a request: data, not an exception. */
export interface Mistake {
  readonly error: Exclude<ControllerError, 'NONE'>
  readonly message: string
}

export function mistake(error: Mistake['error'], message: string): Mistake {
  return { error, message }
}

export function isMistake(value: object): value is Mistake {
  return 'error' in value
}

/** The topic is told by its name, or by its id where the request does not name it. */
export function namedTwice(topic: string | null): Mistake {
  return mistake('INVALID_REQUEST', `The request names topic '${topic}' more than once.`)
}

/** The names that occur more than once. */
export function duplicates(names: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) twice.add(name)
    seen.add(name)
  }
  return twice
}
