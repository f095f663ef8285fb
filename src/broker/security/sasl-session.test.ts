import { describe, expect, test } from 'vitest'
import { simRandom } from '../../../sim/random.ts'
import { fromUtf8, utf8 } from '../../lib/bytes.ts'
import { Prng } from '../../lib/prng.ts'
import { apis, apiVersions, saslAuthenticate, saslHandshake } from '../wire/messages/index.ts'
import { brokerStatus } from '../wire/private/index.ts'
import { ScramClient } from '../wire/sasl/scram-client.ts'
import { saltPassword, scramCredential } from '../wire/sasl/scram-mechanisms.ts'
import { SaslSession } from './sasl-session.ts'
import { openSession, type Session } from './session.ts'

const hash = 'sha256'
const credential = scramCredential(
  { hash },
  saltPassword({ hash }, 'secret', { salt: Uint8Array.of(1, 2), iterations: 4096 }),
)

function session(seed = 1): SaslSession {
  return new SaslSession({
    random: simRandom(new Prng(seed)),
    mechanisms: ['SCRAM-SHA-256'],
    credentialOf: user => (user === 'operator' ? credential : null),
  })
}

const keys = [...apis.map(({ key }) => key), brokerStatus.key]
const admitted = (of: Session) => keys.filter(key => of.admits(key))

function logIn(of: Session, password = 'secret', user = 'operator') {
  const client = new ScramClient({ hash, user, password, nonce: 'abc' })
  of.handshake('SCRAM-SHA-256', 1)
  const challenge = of.authenticate(client.first())
  if (challenge.error !== 'NONE') return challenge
  return of.authenticate(client.prove(challenge.token))
}

test('a stranger may ask for versions and begin to log in, and nothing else', () => {
  const stranger = session()
  const both = [saslHandshake.key, apiVersions.key]
  expect(admitted(stranger)).toEqual(both)
  expect(admitted(stranger)).toEqual(both)
  expect([stranger.principal, stranger.failure]).toEqual([null, null])
})

test('who has chosen a mechanism may prove himself, and nothing else', () => {
  const chosen = session()
  expect(chosen.handshake('SCRAM-SHA-256', 1)).toEqual({
    error: 'NONE',
    mechanisms: ['SCRAM-SHA-256'],
  })
  expect(admitted(chosen)).toEqual([saslAuthenticate.key])
})

test('who has proved himself may ask for everything, and does not log in again', () => {
  const known = session()
  expect(logIn(known)).toMatchObject({ error: 'NONE', message: null })
  expect([known.principal, known.failure]).toEqual(['operator', null])
  expect(admitted(known)).toEqual(keys)
  expect(known.handshake('SCRAM-SHA-256', 1)).toEqual({
    error: 'ILLEGAL_SASL_STATE',
    mechanisms: [],
  })
  expect(known.authenticate(utf8('n,,n=broker,r=abc'))).toMatchObject({
    error: 'ILLEGAL_SASL_STATE',
  })
  expect(known.principal).toBe('operator')
})

describe('who fails', () => {
  test.each([
    ['with the wrong password', 'operator', 'guess', 'the password of "operator" is wrong'],
    ['as nobody', 'root', 'secret', 'there is no user "root"'],
  ])('%s may ask for nothing, and does not learn why', (_, user, password, why) => {
    const failed = session()
    const { error, message, token } = logIn(failed, password, user)
    expect([error, token.length]).toEqual(['SASL_AUTHENTICATION_FAILED', 0])
    expect(message).toBe('There is no such user, or his password for SCRAM-SHA-256 is another one.')
    expect([failed.principal, failed.failure]).toEqual([null, why])
    expect(admitted(failed)).toEqual([])
    // Nor does the right password help then.
    expect(failed.authenticate(utf8('n,,n=operator,r=abc')).error).toBe('ILLEGAL_SASL_STATE')
  })

  test('to choose what is served is told what is', () => {
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-512', '']) {
      const failed = session()
      expect(failed.handshake(mechanism, 1)).toEqual({
        error: 'UNSUPPORTED_SASL_MECHANISM',
        mechanisms: ['SCRAM-SHA-256'],
      })
      expect(failed.failure).toContain(JSON.stringify(mechanism))
      expect(admitted(failed)).toEqual([])
    }
  })

  test('to speak with headers around tokens is refused', () => {
    const old = session()
    expect(old.handshake('SCRAM-SHA-256', 0).error).toBe('UNSUPPORTED_VERSION')
    expect(admitted(old)).toEqual([])
  })
})

test('each session has a nonce of its own', () => {
  const first = (of: Session) => {
    of.handshake('SCRAM-SHA-256', 1)
    return fromUtf8(of.authenticate(utf8('n,,n=operator,r=abc')).token)
  }
  expect(first(session(1))).not.toBe(first(session(2)))
})

test('an open session has no secrets', () => {
  expect(admitted(openSession)).toEqual(keys)
  expect(openSession.principal).toBe('ANONYMOUS')
})
