import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InProcessBroker } from '../helpers/in-process.ts'
import { askConfigs, type ConfigAnswers } from './ask.ts'
import recorded from './kafka-4.3.1.json' with { type: 'json' }
import { listEdits, wishes, wishesTogether } from './wishes.ts'

/**
 * What Apache Kafka 4.3.1 with its defaults accepts for the configs of a topic, what it refuses and how it tells
 * what it has, as record.ts wrote it down; the same is asked of a broker of ours.
 */
const kafka = recorded as unknown as ConfigAnswers

describe('every topic config of Kafka', () => {
  let broker: InProcessBroker
  let ours: ConfigAnswers
  beforeAll(async () => {
    broker = await InProcessBroker.start()
    ours = await askConfigs(await broker.connect())
  })
  afterAll(() => broker[Symbol.asyncDispose]())

  test('was asked of Kafka', () => {
    expect(Object.keys(kafka.alone)).toEqual(Object.keys(wishes))
    for (const [name, values] of Object.entries(wishes)) {
      expect(kafka.alone[name]!.map(([value]) => value)).toEqual(values)
    }
    expect(kafka.together).toHaveLength(wishesTogether.length)
    expect(kafka.lists).toHaveLength(listEdits.length)
  })

  test.each(Object.keys(wishes))('%s has the values, and the text, that it has there', name => {
    expect(ours.alone[name]).toEqual(kafka.alone[name])
  })

  test('is looked at with the others as there', () => {
    expect(ours.together).toEqual(kafka.together)
  })

  test('that is a list gets items more and fewer as there', () => {
    expect(ours.lists).toEqual(kafka.lists)
  })
})
