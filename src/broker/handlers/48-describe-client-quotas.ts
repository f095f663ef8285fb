import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeClientQuotas,
  type DescribeClientQuotasRequest,
  type DescribeClientQuotasResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

type Component = DescribeClientQuotasRequest['components'][number]

/** Types of the entities that quotas are for (KIP-546, KIP-612). */
export const quotaEntityTypes: ReadonlySet<string> = new Set(['user', 'client-id', 'ip'])
const matchTypes = { exact: 0, default: 1, any: 2 } as const

/** DescribeClientQuotas: v0-1. There are none; a filter that makes no sense is refused as in Kafka. */
export const describeClientQuotasHandler: Handler<
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse
> = {
  api: describeClientQuotas,
  handle({ components }) {
    const problem = problemOf(components)
    return {
      throttleTimeMs: 0,
      errorCode: errorCode(problem?.error ?? 'NONE'),
      errorMessage: problem?.message ?? '',
      entries: problem === null ? [] : null,
    }
  },
}

interface Problem {
  readonly error: ErrorName
  readonly message: string
}

function problemOf(components: readonly Component[]): Problem | null {
  const types = new Set<string>()
  for (const component of components) {
    const problem = problemOfOne(component) ?? twice(types, component.entityType)
    if (problem !== null) return problem
    types.add(component.entityType)
  }
  return types.has('ip') && types.size > 1
    ? invalid('Quotas of addresses (ip) cannot be combined with those of users or client ids.')
    : null
}

function problemOfOne({ entityType, matchType, match }: Component): Problem | null {
  if (entityType === '') return invalid('The type of an entity is empty.')
  switch (matchType) {
    case matchTypes.exact:
      if (match === null) return invalid(`To match a name of a ${entityType} exactly, give it.`)
      break
    case matchTypes.default:
    case matchTypes.any:
      if (match !== null) return invalid(`Match type ${matchType} goes without a name.`)
      break
    default:
      return invalid(`There is no match type ${matchType}: 0 is exact, 1 the default, 2 any.`)
  }
  if (quotaEntityTypes.has(entityType)) return null
  const message = `There are no quotas for '${entityType}': they are for user, client-id and ip.`
  return { error: 'UNSUPPORTED_VERSION', message }
}

function twice(types: ReadonlySet<string>, type: string): Problem | null {
  return types.has(type) ? invalid(`The filter names ${type} twice.`) : null
}

function invalid(message: string): Problem {
  return { error: 'INVALID_REQUEST', message }
}
