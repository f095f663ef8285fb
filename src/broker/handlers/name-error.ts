import type { ErrorName } from '../wire/errors.ts'

/** What is said of a topic that is not there: a name that none can have is the client's mistake, others may still come. */
export function nameError(name: string): ErrorName {
  const isLegal = /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..'
  return isLegal ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'
}
