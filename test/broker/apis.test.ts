import { describe, expect, test } from 'vitest'
import { absentApis } from '../../src/broker/handlers/absent-apis.ts'
import { refusedApis } from '../../src/broker/handlers/index.ts'
import { errorCode } from '../../src/broker/wire/errors.ts'
import {
  apiByKey,
  apiVersions,
  type ApiVersionsResponse,
} from '../../src/broker/wire/messages/index.ts'
import { kafkaApis } from '../../tools/apis-document.ts'
import { InProcessBroker } from '../helpers/in-process.ts'

async function listed(version: number): Promise<ApiVersionsResponse> {
  await using broker = await InProcessBroker.start()
  const client = await broker.connect()
  const software = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  return await client.request(apiVersions, version, software)
}

describe('ApiVersions', () => {
  test('lists every API that Kafka lists, in versions that Kafka has too, but for those that are absent by name', async () => {
    const { apiKeys } = await listed(4)
    const ours = new Map(apiKeys.map(row => [row.apiKey, row]))
    expect(kafkaApis.length).toBeGreaterThan(60)
    for (const [key, min, max] of kafkaApis) {
      const row = ours.get(key)
      expect([key, row !== undefined]).toEqual([key, !absentApis.has(key)])
      if (row === undefined) continue
      expect([key, row.minVersion]).toEqual([key, min])
      expect([key, row.maxVersion <= max]).toEqual([key, true])
    }
    const unknownToKafka = apiKeys.filter(row => !kafkaApis.some(([key]) => key === row.apiKey))
    expect(unknownToKafka).toEqual([])
    for (const key of absentApis.keys()) expect([key, apiByKey(key)]).toEqual([key, undefined])
  })

  test('tells metadata.version as Kafka 4.3 does, and no feature that would switch clients to other protocols', async () => {
    const level = { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 }
    for (const version of [3, 4]) {
      const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = await listed(version)
      expect(supportedFeatures).toEqual([
        { name: 'metadata.version', minVersion: 7, maxVersion: 30 },
      ])
      expect(finalizedFeatures).toEqual([level])
      expect(finalizedFeaturesEpoch).toBeGreaterThan(0)
    }
  })
})

test.each(refusedApis.map(({ handler, error }) => [handler.api.name, handler, error] as const))(
  '%s is answered, in every version, and refused',
  async (_, { api }, error) => {
    await using broker = await InProcessBroker.start()
    const client = await broker.connect()
    for (let version = api.versions[0]; version <= api.versions[1]; version++) {
      const answer = await client.request(api, version, wishes[api.name] ?? {})
      expect(JSON.stringify(answer)).toContain(`"errorCode":${errorCode(error)}`)
    }
  },
)

/** Requests that ask for one thing, so that there is one to refuse. */
const acl = { principal: 'User:a', host: '*', operation: 3, permissionType: 3 }
const wishes: Readonly<Record<string, object>> = {
  SaslHandshake: { mechanism: 'PLAIN' },
  SaslAuthenticate: { authBytes: new Uint8Array(1) },
  DescribeAcls: { resourceTypeFilter: 1, operation: 1, permissionType: 1 },
  CreateAcls: { creations: [{ resourceType: 2, resourceName: 'a', ...acl }] },
  DeleteAcls: { filters: [{ resourceTypeFilter: 1, operation: 1, permissionType: 1 }] },
  CreateDelegationToken: { renewers: [], maxLifetimeMs: -1 },
  RenewDelegationToken: { hmac: new Uint8Array(1), renewPeriodMs: -1 },
  ExpireDelegationToken: { hmac: new Uint8Array(1), expiryTimePeriodMs: -1 },
  AlterClientQuotas: {
    entries: [{ entity: [{ entityType: 'user', entityName: null }], ops: [] }],
    validateOnly: false,
  },
}
