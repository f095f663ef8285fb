import { describe, expect, test } from 'vitest'
import { cordonConfig, freezeConfig, leadershipDrainConfig } from './decided-configs.ts'
import { MetadataImage } from './image.ts'
import {
  isCordoned,
  isDrained,
  isFrozen,
  isUncleanElectionEnabled,
  minInsyncReplicasFor,
} from './replicas.ts'

const uncleanConfig = 'unclean.leader.election.enable'

function given(name: string, value: string, brokerId: number | null = null): MetadataImage {
  const configs = [{ name, value }]
  return MetadataImage.empty.apply({ type: 'brokerConfigsChanged', brokerId, configs })
}

function topicWith(configs: Readonly<Record<string, string>>) {
  const topic = { id: 'AAAAAAAAAAAAAAAAAAAAAQ', name: 't', isInternal: false, partitions: [] }
  return { ...topic, configs: new Map(Object.entries(configs)) }
}

/** Each is taken from a client, and described as what it means. */
describe('a config by which the controller goes', () => {
  test.each(['true', 'TRUE', 'True', ' true', 'true\t'])('is on where it was given as %j', text => {
    expect(isFrozen(given(freezeConfig, text))).toBe(true)
    expect(isDrained(given(leadershipDrainConfig, text, 0), 0)).toBe(true)
    expect(isUncleanElectionEnabled(given(uncleanConfig, text), topicWith({}))).toBe(true)
    const topic = topicWith({ [uncleanConfig]: text })
    expect(isUncleanElectionEnabled(given(uncleanConfig, 'false'), topic)).toBe(true)
  })

  test.each(['false', 'FALSE', ' False'])('is off where it was given as %j', text => {
    expect(isFrozen(given(freezeConfig, text))).toBe(false)
    expect(isDrained(given(leadershipDrainConfig, text, 0), 0)).toBe(false)
    const topic = topicWith({ [uncleanConfig]: text })
    expect(isUncleanElectionEnabled(given(uncleanConfig, 'true'), topic)).toBe(false)
  })

  test('is a list that names something, or nothing', () => {
    const isFull = (text: string): boolean => isCordoned(given(cordonConfig, text, 0), 0)
    expect(['*', ' * ', '', ' '].map(isFull)).toEqual([true, true, false, false])
  })

  test("cordons every broker where it is all brokers', and that one where it is its own", () => {
    const all = given(cordonConfig, '*')
    expect([0, 1].map(id => isCordoned(all, id))).toEqual([true, true])
    const configs = [{ name: cordonConfig, value: '' }]
    const but = all.apply({ type: 'brokerConfigsChanged', brokerId: 1, configs })
    expect([0, 1].map(id => isCordoned(but, id))).toEqual([true, false])
  })

  test.each(['3', '+3', ' 3 ', '003'])('is a number, be it given as %j', text => {
    const name = 'min.insync.replicas'
    expect(minInsyncReplicasFor(given(name, text), new Map(), 5)).toBe(3)
    expect(minInsyncReplicasFor(MetadataImage.empty, new Map([[name, text]]), 5)).toBe(3)
  })
})
