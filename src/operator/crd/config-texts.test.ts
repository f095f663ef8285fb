import { expect, test } from 'vitest'
import { configTexts } from './config-texts.ts'

test('scalars become the texts that Kafka has', () => {
  const { texts, complaints } = configTexts({
    'log.retention.hours': 168,
    'log.cleaner.min.cleanable.ratio': 0.5,
    'auto.create.topics.enable': false,
    'cleanup.policy': 'compact,delete',
    'log.retention.bytes': -1,
  })
  expect(Object.fromEntries(texts)).toEqual({
    'log.retention.hours': '168',
    'log.cleaner.min.cleanable.ratio': '0.5',
    'auto.create.topics.enable': 'false',
    'cleanup.policy': 'compact,delete',
    'log.retention.bytes': '-1',
  })
  expect(complaints).toEqual([])
})

test('what JSON rounded, and what is no scalar, is complained of and the rest is kept', () => {
  const config = JSON.parse(
    '{"flush.ms": 9223372036854775807, "flush.messages": "9223372036854775807", "a": null, "b": [1]}',
  ) as Record<string, unknown>
  const { texts, complaints } = configTexts(config)
  expect(Object.fromEntries(texts)).toEqual({ 'flush.messages': '9223372036854775807' })
  expect(complaints).toEqual([
    'flush.ms is a number beyond 2^53: put it in quotes',
    'a must be text, a number, true or false',
    'b must be text, a number, true or false',
  ])
})
