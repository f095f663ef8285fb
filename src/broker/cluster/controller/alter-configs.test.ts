import { describe, expect, test } from 'vitest'
import { registered } from '../../../../test/metadata/brokers.ts'
import { MetadataImage } from '../../metadata/image.ts'
import { newPartition } from './placement.ts'
import { type ConfigRules, decideAlterConfigs } from './alter-configs.ts'
import type { ConfigEdit, ConfigResource } from './commands.ts'

/** Any value but `bad` is right, where somebody gives it now. */
function wrongOf(configs: ReadonlyMap<string, string>, given: ReadonlySet<string>): string | null {
  const name = [...given].find(each => configs.get(each) === 'bad')
  return name === undefined ? null : `${name} is bad`
}

const rules: ConfigRules = {
  validateConfigs: (configs, given = new Set(configs.keys())) => wrongOf(configs, given),
  validateGroupConfigs: (configs, given = new Set(configs.keys())) => wrongOf(configs, given),
  validateBrokerConfigs(configs, given = new Set(configs.keys())) {
    const message = wrongOf(configs, given)
    return message === null ? null : { error: 'INVALID_CONFIG', message }
  },
  listBeneath: (_, name) => (name === 'list' ? 'a' : null),
}

const all = { type: 'broker', brokerId: null } as const
const one = { type: 'broker', brokerId: 1 } as const
const group = { type: 'group', groupId: 'g' } as const
const offsets = { type: 'topic', name: '__offsets' } as const
const stored = [
  { name: 'old', value: 'bad' },
  { name: 'kept', value: '1' },
]
const brokers = MetadataImage.empty.apply(registered(1))
/** Of which each resource has a value that is not right any more, and the internal topic no policy. */
const image = brokers
  .apply({ type: 'brokerConfigsChanged', brokerId: null, configs: stored })
  .apply({ type: 'brokerConfigsChanged', brokerId: 1, configs: stored })
  .apply({ type: 'groupConfigsChanged', groupId: 'g', configs: stored })
  .apply({
    type: 'topicCreated',
    topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    name: '__offsets',
    isInternal: true,
    configs: stored,
    partitions: [newPartition(brokers, 0, [1], new Map())],
  })

interface Options {
  readonly isWhole?: boolean
}

/** What is wrong with these edits; null where nothing is. */
function refusal(
  resource: ConfigResource,
  configs: Readonly<Record<string, string | null>>,
  { isWhole = false }: Options = {},
): string | null {
  const edits = Object.entries(configs).map(([name, value]): ConfigEdit => {
    return value === null ? { operation: 'delete', name } : { operation: 'set', name, value }
  })
  const changes = [{ resource, edits, isWhole }]
  const { answer } = decideAlterConfigs(image, changes, { rules, validateOnly: false })
  if (answer.type !== 'configsAltered') throw new Error(answer.type)
  return answer.results[0]!.message
}

describe('what was stored before and is wrong by now', () => {
  test.each([all, one, group, offsets])('is in the way of nothing else: of %o', resource => {
    expect(refusal(resource, { other: '1' })).toBe(null)
    expect(refusal(resource, { kept: null })).toBe(null)
    expect(refusal(resource, { old: null })).toBe(null)
    expect(refusal(resource, { old: 'good' })).toBe(null)
    // As clients write that know AlterConfigs only: all that they were told, with one change.
    expect(refusal(resource, { old: 'bad', kept: '2' }, { isWhole: true })).toBe(null)
    expect(refusal(resource, { other: 'bad' })).toBe('other is bad')
    expect(refusal(resource, { kept: 'bad' })).toBe('kept is bad')
  })
})

test("of an internal topic, only a change of its cleanup.policy has to name 'compact'", () => {
  const refused = /own cleanup.policy has to name 'compact'/
  expect(refusal(offsets, { 'cleanup.policy': 'delete' })).toMatch(refused)
  expect(refusal(offsets, { 'cleanup.policy': 'compact,delete' })).toBe(null)
  expect(refusal(offsets, { kept: null })).toBe(null)
})

describe('a setting that nobody would read there', () => {
  const forAll = 'all brokers, with an empty name'
  test.each([
    { name: 'min.insync.replicas', value: '2', at: one, places: `${forAll}, or for a topic` },
    {
      name: 'unclean.leader.election.enable',
      value: 'true',
      at: one,
      places: `${forAll}, or for a topic`,
    },
    { name: 'hibernation.freeze.enable', value: 'true', at: one, places: forAll },
    {
      name: 'leadership.drain.enable',
      value: 'true',
      at: all,
      places: 'one broker, by its number',
    },
  ])('is refused: $name', ({ name, value, at, places }) => {
    const whose = at === one ? "one broker's" : "all brokers'"
    expect(refusal(at, { [name]: value })).toBe(`${name} cannot be ${whose}: set it for ${places}.`)
    expect(refusal(at, { [name]: null })).toBe(null)
    expect(refusal(at === one ? all : one, { [name]: value })).toBe(null)
  })

  test('is none where brokers are cordoned', () => {
    for (const each of [all, one]) expect(refusal(each, { 'cordoned.log.dirs': '*' })).toBe(null)
  })
})
