import type { Api } from '../../src/broker/wire/field.ts'
import { declaredApis } from './declared-api.ts'
import { encodeExactly } from './exact-wire.ts'
import type { KeyRequest } from './requests/keys.ts'

/** Every API of Apache's declarations at its defaults, in the versions at the ends of its range and beside them. */
export function makeKeyRequests(): KeyRequest[] | null {
  return (
    declaredApis()?.flatMap(api => versionsOf(api).map(version => requestOf(api, version))) ?? null
  )
}

function versionsOf({ versions: [min, max] }: Api): number[] {
  return [...new Set([min - 1, min, max, max + 1])].filter(version => version >= 0)
}

function requestOf(api: Api, version: number): KeyRequest {
  const isFlexible = version >= api.flexible
  // With acks=0, the default of the field's type, nothing would be answered.
  const frame = encodeExactly(api, version, 0, api.key === 0 ? { acks: -1 } : {})
  const headerBytes = 4 + 8 + 2 + 'differential'.length + (isFlexible ? 1 : 0)
  const hex = frame.subarray(headerBytes).toString('hex')
  return { key: api.key, name: api.name, version, isFlexible, hex }
}
