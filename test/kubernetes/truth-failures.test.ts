import { describe, expect, test } from 'vitest'
import { errorCode, errors, type ErrorName } from '../../src/broker/wire/errors.ts'
import { refuseErrors, WireClientError } from '../../src/broker/wire/client/client-error.ts'
import { type TruthReport, truthful } from './truth-checker.ts'
import { failureKind, isExpectedInRoll } from './truth-failures.ts'

function answered(name: ErrorName): unknown {
  try {
    refuseErrors(errorCode(name), 'truth-0')
  } catch (error) {
    return error
  }
  throw new Error(`${name} is none`)
}

test.each([
  ['an answer', answered('NOT_LEADER_OR_FOLLOWER'), 'NOT_LEADER_OR_FOLLOWER'],
  ['no answer', new WireClientError('closed', 'the peer closed the connection'), 'closed'],
  ['no address', Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }), 'ENOTFOUND'],
  ['anything else', new TypeError('a bug'), 'TypeError: a bug'],
])('the kind of %s is told by its name', (_, error, kind) => {
  expect(failureKind(error)).toBe(kind)
})

describe('in a roll', () => {
  const expected = Object.keys(errors).filter(isExpectedInRoll)

  test('of what brokers answer only words for a leader that moved are expected', () => {
    expect(expected.toSorted()).toEqual([
      'LEADER_NOT_AVAILABLE',
      'NOT_LEADER_OR_FOLLOWER',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
  })

  test('each of those is retriable to Kafka, and makes a client look for the leader', () => {
    for (const name of expected) {
      expect(errors[name as ErrorName]).toMatchObject({ retriable: true, moved: true })
    }
  })

  test.each(['closed', 'unreachable', 'timeout', 'ENOTFOUND', 'ENODATA'])(
    'a connection or a name that is gone is expected: %s',
    kind => {
      expect(isExpectedInRoll(kind)).toBe(true)
    },
  )

  test.each([
    'NOT_ENOUGH_REPLICAS',
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'CORRUPT_MESSAGE',
    'OFFSET_OUT_OF_RANGE',
    'UNKNOWN_SERVER_ERROR',
    'protocol',
    'local',
    'TypeError: a bug',
  ])('never: %s', kind => {
    expect(isExpectedInRoll(kind)).toBe(false)
  })
})

describe('a report', () => {
  const report: TruthReport = {
    lies: [],
    longestWaitMs: 900,
    writeGapsMs: { count: 10, p50: 200, p99: 900, max: 900 },
    succeeded: { produce: 10, fetch: 10 },
    failed: { produce: 3, fetch: 1 },
    failures: { produce: { closed: 1, NOT_ENOUGH_REPLICAS: 2 }, fetch: { closed: 1 } },
    lost: 0,
    lastFailure: { produce: 'closed', fetch: 'closed' },
  }

  test('of failures that a scenario does not expect is refused by their kind and count', () => {
    expect(() =>
      truthful(report, { longestWaitMsMax: 1_000, isExpected: isExpectedInRoll }),
    ).toThrow(/^produce failed 2 times by NOT_ENOUGH_REPLICAS, which is not to be\. /)
  })

  test('of those alone that it expects is fine, and so is any where it names none', () => {
    const failures = { produce: { closed: 1 }, fetch: {} }
    truthful({ ...report, failures }, { longestWaitMsMax: 1_000, isExpected: isExpectedInRoll })
    truthful(report, { longestWaitMsMax: 1_000 })
  })
})
