import { describe, expect, test } from 'vitest'
import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { ScramClient } from './scram-client.ts'
import { nonceOf, ScramError } from './scram-messages.ts'
import { digest, keyed, saltPassword, scramCredential, type ScramHash } from './scram-mechanisms.ts'
import { ScramServer } from './scram-server.ts'

/** The exchanges that the RFCs print. */
const vectors = {
  'RFC 5802': {
    hash: 'sha1',
    salt: 'QSXCR+Q6sek8bf92',
    clientNonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverNonce: '3rfcNHYJY1ZVvWVs7j',
    clientFirst: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    serverFirst: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    clientFinal:
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  'RFC 7677': {
    hash: 'sha256',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    clientNonce: 'rOprNGfwEbeRWgbNEkqO',
    serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    serverFirst:
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    clientFinal:
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
}

type Vector = (typeof vectors)[keyof typeof vectors]

function credentialOf({ hash }: ScramHash, password: string, salt: Uint8Array) {
  return scramCredential({ hash }, saltPassword({ hash }, password, { salt, iterations: 4096 }))
}

function serverOf({ hash, salt, serverNonce }: Vector): ScramServer {
  const credential = credentialOf({ hash }, 'pencil', Buffer.from(salt, 'base64'))
  return new ScramServer({
    hash,
    nonce: serverNonce,
    credentialOf: user => (user === 'user' ? credential : null),
  })
}

function clientOf({ hash, clientNonce }: Vector, password = 'pencil'): ScramClient {
  return new ScramClient({ hash, user: 'user', password, nonce: clientNonce })
}

describe.each(Object.entries(vectors))('the exchange of %s', (_, vector) => {
  test('is what the server says', () => {
    const server = serverOf(vector)
    const first = server.step(utf8(vector.clientFirst))
    expect([fromUtf8(first.token), first.user]).toEqual([vector.serverFirst, null])
    const final = server.step(utf8(vector.clientFinal))
    expect([fromUtf8(final.token), final.user]).toEqual([vector.serverFinal, 'user'])
  })

  test('is what the client says', () => {
    const client = clientOf(vector)
    expect(fromUtf8(client.first())).toBe(vector.clientFirst)
    expect(fromUtf8(client.prove(utf8(vector.serverFirst)))).toBe(vector.clientFinal)
    client.finish(utf8(vector.serverFinal))
  })
})

const vector = vectors['RFC 7677']

describe('the server refuses', () => {
  test.each([
    ['a binding of the channel', 'p=tls-unique,,n=user,r=abc', 'channels cannot be bound'],
    ['to act for others', 'n,a=root,n=user,r=abc', 'nobody may act for another user'],
    ['who is unknown', 'n,,n=nobody,r=abc', 'there is no user "nobody"'],
    ['a name that is not encoded', 'n,,n=us=er,r=abc', 'not encoded'],
    ['a mandatory extension', 'n,,m=x,n=user,r=abc', 'attribute n is missing'],
    ['an empty nonce', 'n,,n=user,r=', 'the nonce is not printable'],
    ['what is no message', 'hello', 'does not begin as one'],
    ['nothing', '', 'does not begin as one'],
  ])('%s', (_, text, why) => {
    expect(() => serverOf(vector).step(utf8(text))).toThrow(why)
    expect(() => serverOf(vector).step(utf8(text))).toThrow(ScramError)
  })

  test('bytes that are no text', () => {
    expect(() => serverOf(vector).step(Uint8Array.of(0xff, 0xfe))).toThrow('not UTF-8')
  })

  test.each([
    ['a proof of another password', () => clientOf(vector, 'pen').prove(utf8(vector.serverFirst))],
    ['another nonce', () => utf8(vector.clientFinal.replace('%hv', '%hw'))],
    ['another binding', () => utf8(vector.clientFinal.replace('biws', 'eSws'))],
    ['a message without a proof', () => utf8(vector.clientFinal.replace(/,p=.*/, ''))],
    ['a proof that is cut', () => utf8(vector.clientFinal.replace(/p=.*/, 'p=dHzb'))],
    ['a proof that is not base64', () => utf8(vector.clientFinal.replace(/p=.*/, 'p=!'))],
    ['an extension that was not signed', () => utf8(vector.clientFinal.replace(',p=', ',x=1,p='))],
  ])('%s', (_, final) => {
    const server = serverOf(vector)
    server.step(utf8(vector.clientFirst))
    expect(() => server.step(final())).toThrow(ScramError)
  })
})

/** The proof of who knows the password and signs `final` behind the messages before it. */
function proven(final: string): Uint8Array {
  const salt = Buffer.from(vector.salt, 'base64')
  const { saltedPassword } = saltPassword(vector, 'pencil', { salt, iterations: 4096 })
  const clientKey = keyed(vector, saltedPassword, 'Client Key')
  const message = `${vector.clientFirst.slice(3)},${vector.serverFirst},${final}`
  const signature = keyed(vector, digest(vector, clientKey), message)
  const proof = clientKey.map((byte, at) => byte ^ signature[at]!)
  return utf8(`${final},p=${Buffer.from(proof).toString('base64')}`)
}

test.each([
  ['itself', 'biws', '', null],
  ['another nonce', 'biws', 'x', 'the nonce is not the one that was given'],
  ['another binding', 'eSws', '', 'the channel binding has changed'],
])('a proof is of what it signs: %s', (_, binding, more, why) => {
  const server = serverOf(vector)
  server.step(utf8(vector.clientFirst))
  const nonce = vector.clientNonce + vector.serverNonce + more
  const step = () => server.step(proven(`c=${binding},r=${nonce}`)).user
  if (why === null) expect(step()).toBe('user')
  else expect(step).toThrow(why)
})

describe('the client refuses', () => {
  test.each([
    ['a nonce that is not its own and more', 'r=other,s=W22Z,i=4096', 'did not add to our nonce'],
    ['its own nonce alone', `r=${vector.clientNonce},s=W22Z,i=4096`, 'did not add to our nonce'],
    ['few iterations', vector.serverFirst.replace('4096', '1'), 'asks for 1 iterations'],
    ['endless iterations', vector.serverFirst.replace('4096', '999999999'), 'asks for 999999999'],
    ['an error', 'e=other-error', 'attribute r is missing'],
  ])('%s', (_, first, why) => {
    expect(() => clientOf(vector).prove(utf8(first))).toThrow(why)
  })

  test('a server that does not know the password', () => {
    const client = clientOf(vector)
    client.prove(utf8(vector.serverFirst))
    const wrong = vector.serverFinal.replace('6rri', '7rri')
    expect(() => client.finish(utf8(wrong))).toThrow('does not know the password')
    expect(() => client.finish(utf8('e=invalid-proof'))).toThrow(ScramError)
    expect(() => clientOf(vector).finish(utf8(vector.serverFinal))).toThrow(ScramError)
  })
})

test('both understand names with commas and equals signs, and SHA-512', () => {
  const user = 'a=b,c'
  const hash = 'sha512'
  const client = new ScramClient({ hash, user, password: 'secret', nonce: 'abc' })
  const credential = credentialOf({ hash }, 'secret', Uint8Array.of(1, 2, 3))
  const server = new ScramServer({ hash, nonce: 'def', credentialOf: () => credential })
  const first = server.step(client.first())
  const final = server.step(client.prove(first.token))
  expect(final.user).toBe(user)
  client.finish(final.token)
})

test('a nonce has no comma', () => {
  expect(nonceOf(Uint8Array.of(0xfb, 0xff, 0xbf, 0))).toMatch(/^[!-+\--~]+$/)
})

test.each([
  ['first', true],
  ['other', true],
  ['third', false],
])(
  'of two passwords that are taken %s is let in: %s, and each is answered for',
  (password, isIn) => {
    const hash = 'sha256'
    const salt = Uint8Array.of(1, 2, 3)
    const both = {
      ...credentialOf({ hash }, 'first', salt),
      other: credentialOf({ hash }, 'other', salt),
    }
    const client = new ScramClient({ hash, user: 'broker', password, nonce: 'abc' })
    const server = new ScramServer({ hash, nonce: 'def', credentialOf: () => both })
    const proof = client.prove(server.step(client.first()).token)
    if (!isIn) return expect(() => server.step(proof)).toThrow(ScramError)
    const final = server.step(proof)
    expect(final.user).toBe('broker')
    // By the key of the password that it has, or it would not believe the server.
    client.finish(final.token)
  },
)
