import { topicNameError } from '../../lib/topic-name.ts'
import type { ErrorName } from '../wire/errors.ts'

/** What is said of a topic that is not there: a name that none can have is the client's mistake, others may still come. */
export function nameError(name: string): ErrorName {
  return topicNameError(name) === null ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'INVALID_TOPIC_EXCEPTION'
}
