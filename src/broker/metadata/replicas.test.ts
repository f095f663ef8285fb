import { describe, expect, test } from 'vitest'
import { MetadataImage } from './image.ts'
import {
  freezeConfig,
  isCordoned,
  isDrained,
  isFrozen,
  isUncleanElectionEnabled,
  leadershipDrainConfig,
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
    const isFull = (text: string): boolean => isCordoned(given('cordoned.log.dirs', text, 0), 0)
    expect(['*', ' * ', '', ' '].map(isFull)).toEqual([true, true, false, false])
  })

  test.each(['3', '+3', ' 3 ', '003'])('is a number, be it given as %j', text => {
    const name = 'min.insync.replicas'
    expect(minInsyncReplicasFor(given(name, text), new Map(), 5)).toBe(3)
    expect(minInsyncReplicasFor(MetadataImage.empty, new Map([[name, text]]), 5)).toBe(3)
  })
})
