import { expect, test } from 'vitest'
import { AnsweredError, WireClientError } from '../wire/client/client-error.ts'
import { NotSent } from './controller-link.ts'
import { isSilence, Silence } from './silence.ts'

test('who answers nothing is silent since it was asked first, and for certain with the second time', () => {
  const silence = new Silence()
  silence.unanswered(1, 500)
  // This process may have stood still itself, and the answer come just after its time.
  expect(silence.found).toBe(null)
  silence.unanswered(1, 3_700)
  expect(silence.found).toEqual({ brokerId: 1, sinceMs: 500 })
  silence.ended()
  silence.unanswered(1, 9_000)
  expect(silence.found).toBe(null)
})

test('another who is asked is silent for itself', () => {
  const silence = new Silence()
  silence.unanswered(1, 500)
  silence.unanswered(2, 3_700)
  expect(silence.found).toBe(null)
  silence.unanswered(2, 6_900)
  expect(silence.found).toEqual({ brokerId: 2, sinceMs: 3_700 })
})

test('a time that runs out is silence, and whatever tells of somebody, or of nobody, is not', () => {
  const unreachable = (code: string): WireClientError =>
    new WireClientError('unreachable', '', { cause: Object.assign(new Error(), { code }) })
  const unsent = (cause: Error): NotSent => new NotSent('', { cause })
  const late = new WireClientError('timeout', '')
  const silent = [late, unsent(late), unsent(unreachable('ETIMEDOUT'))]
  expect(silent.map(isSilence)).toEqual([true, true, true])
  const others = [
    unsent(unreachable('ECONNREFUSED')),
    new WireClientError('closed', ''),
    unsent(new AnsweredError('SASL_AUTHENTICATION_FAILED', 'the login')),
    new Error('of another kind'),
  ]
  expect(others.map(isSilence)).toEqual([false, false, false, false])
})
