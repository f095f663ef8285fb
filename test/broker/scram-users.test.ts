import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorCode, type ErrorName } from '../../src/broker/wire/errors.ts'
import {
  alterUserScramCredentials,
  describeUserScramCredentials,
} from '../../src/broker/wire/messages/index.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { InProcessBroker } from '../helpers/in-process.ts'
import type { BrokerClient } from '../helpers/broker-client.ts'

let broker: InProcessBroker
let client: BrokerClient

beforeAll(async () => {
  broker = await InProcessBroker.start()
  client = await broker.connect()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

const sha256 = 1
const sha512 = 2
const code = (name: ErrorName): number => errorCode(name)

function upsertion(name: string, mechanism: number, changes = {}) {
  const given = { iterations: 8192, salt: utf8('salt'), saltedPassword: utf8('salted') }
  return { name, mechanism, ...given, ...changes }
}

async function alter(
  upsertions: readonly ReturnType<typeof upsertion>[],
  deletions: readonly { name: string; mechanism: number }[] = [],
  by = client,
): Promise<[string, number][]> {
  const request = { deletions: [...deletions], upsertions: [...upsertions] }
  const { results } = await by.request(alterUserScramCredentials, 0, request)
  return results.map(result => [result.user, result.errorCode])
}

async function described(names: readonly string[] | null, by = client) {
  const users = names === null ? null : names.map(name => ({ name }))
  const answer = await by.request(describeUserScramCredentials, 0, { users })
  expect(answer.errorCode).toBe(0)
  return answer.results.map(({ user, errorCode: error, credentialInfos }) => [
    user,
    error,
    credentialInfos.map(({ mechanism, iterations }) => `${mechanism}:${iterations}`).join(' '),
  ])
}

test('credentials are given, replaced and taken away, one answer a user', async () => {
  const both = [upsertion('ann', sha256), upsertion('bob', sha512), upsertion('ann', sha512)]
  expect(await alter(both)).toEqual([
    ['ann', 0],
    ['bob', 0],
  ])
  expect(await described(['ann', 'bob', 'eve'])).toEqual([
    ['ann', 0, '1:8192 2:8192'],
    ['bob', 0, '2:8192'],
    ['eve', code('RESOURCE_NOT_FOUND'), ''],
  ])
  const change = [upsertion('ann', sha256, { iterations: 4096 })]
  expect(await alter(change, [{ name: 'bob', mechanism: sha512 }])).toEqual([
    ['bob', 0],
    ['ann', 0],
  ])
  expect(await described(null)).toEqual([['ann', 0, '1:4096 2:8192']])
  expect(await described([])).toEqual([['ann', 0, '1:4096 2:8192']])
  expect(await described(['ann', 'ann'])).toEqual([['ann', code('DUPLICATE_RESOURCE'), '']])
})

test.each<[string, object, ErrorName]>([
  ['no name', { name: '' }, 'UNACCEPTABLE_CREDENTIAL'],
  ['an unknown mechanism', { mechanism: 3 }, 'UNSUPPORTED_SASL_MECHANISM'],
  ['too few rounds', { iterations: 4095 }, 'UNACCEPTABLE_CREDENTIAL'],
  ['too many rounds', { iterations: 16_385 }, 'UNACCEPTABLE_CREDENTIAL'],
  ['no salt', { salt: new Uint8Array() }, 'UNACCEPTABLE_CREDENTIAL'],
  ['no password', { saltedPassword: new Uint8Array() }, 'UNACCEPTABLE_CREDENTIAL'],
])('%s is refused, and nothing else of the request is', async (_, changes, error) => {
  const wrong = upsertion('wrong', sha256, changes)
  expect(await alter([wrong, upsertion('right', sha256)])).toEqual([
    [wrong.name, code(error)],
    ['right', 0],
  ])
  expect(await described(['wrong'])).toEqual([['wrong', code('RESOURCE_NOT_FOUND'), '']])
  expect(await alter([], [{ name: 'right', mechanism: sha256 }])).toEqual([['right', 0]])
})

test("a user's changes happen together or not at all", async () => {
  const absent = [{ name: 'cid', mechanism: sha512 }]
  expect(await alter([upsertion('cid', sha256)], absent)).toEqual([
    ['cid', code('RESOURCE_NOT_FOUND')],
  ])
  expect(await alter([upsertion('cid', sha256), upsertion('cid', sha256)])).toEqual([
    ['cid', code('DUPLICATE_RESOURCE')],
  ])
  expect(await described(['cid'])).toEqual([['cid', code('RESOURCE_NOT_FOUND'), '']])
})

test('credentials survive a restart', async () => {
  const first = await InProcessBroker.start()
  expect(await alter([upsertion('kept', sha512)], [], await first.connect())).toEqual([['kept', 0]])
  await first[Symbol.asyncDispose]()
  const second = await InProcessBroker.start({}, first.disk)
  expect(await described(null, await second.connect())).toEqual([['kept', 0, '2:8192']])
  await second[Symbol.asyncDispose]()
})
