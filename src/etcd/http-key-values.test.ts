import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SimClock } from '../../sim/clock.ts'
import { HttpKeyValues } from './http-key-values.ts'
import { NoAnswer } from './key-values.ts'

type Answers = (request: IncomingMessage, response: ServerResponse) => void

const empty = '{"header":{"cluster_id":"1","revision":"7"}}'
const rightly: Answers = (_, response) => void response.end(empty)

/** Something that stands where a member of etcd is looked for. */
class Member {
  answers: Answers = rightly
  asked = 0
  readonly #server: Server = createServer((request, response) => {
    this.asked++
    this.answers(request, response)
  })

  listen(): Promise<void> {
    return new Promise(resolve => this.#server.listen(0, '127.0.0.1', resolve))
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

let members: readonly [Member, Member]
let clock = new SimClock()
let etcd: HttpKeyValues

beforeEach(async () => {
  members = [new Member(), new Member()]
  for (const member of members) await member.listen()
  clock = new SimClock()
  etcd = new HttpKeyValues({ urls: members.map(({ url }) => url), clock })
})
afterEach(() => {
  etcd.close()
  for (const member of members) member.close()
})

const range = () => etcd.range({ from: 'a' })
const put = () => etcd.commit({ ifRevisions: [], puts: [], deletes: [] })

describe('a client of etcd', () => {
  test('goes to the next member once, however many of its requests the one before failed', async () => {
    members[0].answers = (_, response) => void response.writeHead(503).end('no leader')
    const two = await Promise.allSettled([range(), range()])
    expect(two.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await range()).toEqual({ values: [], revision: 7 })
    expect(members.map(({ asked }) => asked)).toEqual([2, 1])
  })

  test('does not try one dead connection after the other', async () => {
    const [member] = members
    const alone = new HttpKeyValues({ urls: [member.url], clock })
    const ask = () => alone.range({ from: 'a' })
    const held: ServerResponse[] = []
    const { promise: allCame, resolve } = Promise.withResolvers<void>()
    member.answers = (_, response) => void (held.push(response) === 3 && resolve())
    const three = [ask(), ask(), ask()]
    await allCame
    const dead = new Set(held.map(({ req }) => req.socket))
    for (const response of held) response.end(empty)
    await Promise.all(three)
    member.answers = (request, response) => {
      if (dead.has(request.socket)) clock.advance(2_000)
      else response.end(empty)
    }
    await expect(ask()).rejects.toThrow('no answer within 2000 ms')
    expect(await ask()).toMatchObject({ revision: 7 })
    alone.close()
  })

  test.each([
    'null',
    '{}',
    '"etcd"',
    '{"header":null}',
    '{"header":{"revision":"0"}}',
    '{"header":{"revision":"many"}}',
    '{"header":{"revision":"7"},"kvs":{}}',
    '{"header":{"revision":"7"},"kvs":[null]}',
    '{"header":{"revision":"7"},"kvs":[{"value":"YQ==","mod_revision":"3"}]}',
    '{"header":{"revision":"7"},"kvs":[{"key":"YQ=="}]}',
    '{"header":{"revision":"7"},"kvs":[{"key":"YQ==","value":1,"mod_revision":"3"}]}',
    '<html>',
  ])('takes %s, answered with 200, for no answer', async text => {
    for (const member of members) member.answers = (_, response) => void response.end(text)
    await expect(range()).rejects.toBeInstanceOf(NoAnswer)
    await expect(range()).rejects.toThrow(/^POST http.*\/v3\/kv\/range: /)
    await expect(put()).rejects.toBeInstanceOf(NoAnswer)
  })

  test('takes what etcd answers', async () => {
    const [member] = members
    member.answers = (_, response) =>
      void response.end(
        '{"header":{"revision":"7"},"kvs":[{"key":"YQ==","mod_revision":"3","value":"Yg=="},{"key":"Yg==","mod_revision":"4"}]}',
      )
    expect(await range()).toEqual({
      values: [
        { key: 'a', value: Buffer.from('b'), revision: 3 },
        { key: 'b', value: Buffer.from(''), revision: 4 },
      ],
      revision: 7,
    })
    member.answers = rightly
    expect(await put()).toBe(null)
    member.answers = (_, response) =>
      void response.end('{"header":{"revision":"8"},"succeeded":true,"responses":[{}]}')
    expect(await put()).toBe(8)
  })
})
