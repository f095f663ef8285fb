import type { Api } from '../field.ts'
import { apiByKey } from '../messages/index.ts'
import { brokerStatus } from './10000-broker-status.ts'

export * from './10000-broker-status.ts'

/** APIs that Kafka does not have, and no client is told of. */
const privateApis: ReadonlyMap<number, Api> = new Map([[brokerStatus.key, brokerStatus]])

/** As `apiByKey`, on the private listener. */
export function privateApiByKey(key: number): Api | undefined {
  return privateApis.get(key) ?? apiByKey(key)
}
