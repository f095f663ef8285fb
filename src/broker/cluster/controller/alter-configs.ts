import { topicNameError } from '../../../lib/topic-name.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import {
  type ConfigLevel,
  decidedConfigs,
  freezeConfig,
  isReadAt,
  leadershipDrainConfig,
  minInsyncReplicasConfig,
  uncleanElectionConfig,
} from '../../metadata/decided-configs.ts'
import { isDrained, isFrozen } from '../../metadata/replicas.ts'
import type { ConfigChange, ConfigChangeResult, ConfigEdit, ConfigResource } from './commands.ts'
import { givenBack } from './elect-leaders.ts'
import { applied, changesOf, changesOfTopic } from './partition-changes.ts'
import { type Decision, duplicates, isMistake, type Mistake, mistake } from './decision.ts'

type Configs = ReadonlyMap<string, string>
type Names = ReadonlySet<string>

/**
 * Whole resources are judged, as a change leaves them, but for nothing that the change did not give: what stood before may be wrong by now
 * (another version, another controller's memory), and must be in the way of no other change. `given`: names; all where it is left out.
 */
export interface ConfigRules {
  /** What is wrong with a topic's overrides, for the client; null where nothing is. */
  validateConfigs(configs: Configs, given?: Names): string | null
  /** What is wrong with settings given to running brokers; null where nothing is. */
  validateBrokerConfigs(configs: Configs, given?: Names): Mistake | null
  /** What is wrong with a consumer group's configs, for the client; null where nothing is. */
  validateGroupConfigs(configs: Configs, given?: Names): string | null
  /** The items of a list where `resource` does not say otherwise, separated by commas; null where it is no list. */
  listBeneath(resource: ConfigResource, name: string): string | null
}

/** Each resource's changes are decided on their own: all of them, or none. */
export function decideAlterConfigs(
  before: MetadataImage,
  changes: readonly ConfigChange[],
  options: { readonly rules: ConfigRules; readonly validateOnly: boolean },
): Decision {
  const twice = duplicates(changes.map(({ resource }) => keyOf(resource)))
  const records: MetadataRecord[] = []
  let image = before
  const results = changes.map((change): ConfigChangeResult => {
    const record = twice.has(keyOf(change.resource))
      ? mistake('INVALID_REQUEST', `The request names ${textOf(change.resource)} more than once.`)
      : recordOf(image, options.rules, change)
    if (isMistake(record)) return record
    if (!options.validateOnly && record.configs.length > 0) {
      const changes = [record, ...consequences(image.apply(record), record)]
      image = applied(image, changes)
      records.push(...changes)
    }
    return { error: 'NONE', message: null }
  })
  return { records, image, answer: { type: 'configsAltered', results } }
}

/** Configs by which the controller itself goes. */
const electionConfigs: readonly string[] = [minInsyncReplicasConfig, uncleanElectionConfig]

/** Whoever is in sync may be enough now, or somebody may lead who could not (durability.md R8): in the append that changes the config. */
function consequences(after: MetadataImage, record: ConfigRecord): MetadataRecord[] {
  const isChanged = (name: string): boolean => record.configs.some(config => config.name === name)
  if (record.type === 'brokerConfigsChanged' && record.brokerId !== null) {
    return isChanged(leadershipDrainConfig) ? drainConsequences(after, record.brokerId) : []
  }
  const isFreezing = record.type === 'brokerConfigsChanged' && isChanged(freezeConfig)
  if (isFreezing && !isFrozen(after)) return thawed(after)
  if (!electionConfigs.some(isChanged)) return []
  switch (record.type) {
    case 'topicConfigsChanged':
      return changesOfTopic(after, after.topicById(record.topicId)!, () => ({}))
    case 'brokerConfigsChanged':
      return changesOf(after, () => ({}))
    case 'groupConfigsChanged':
      return []
  }
}

/** Whoever is away leaves the in-sync sets after all, and the others lead what prefers them, wherever it woke first. */
function thawed(after: MetadataImage): MetadataRecord[] {
  return changesOf(after, () => ({ election: 'preferred' }))
}

/** A broker that is to be drained hands over at once; one that is not any longer leads at once what prefers it. */
function drainConsequences(after: MetadataImage, brokerId: number): MetadataRecord[] {
  if (!isDrained(after, brokerId)) return givenBack(after, brokerId)
  return changesOf(after, ({ leader }) => (leader === brokerId ? {} : null))
}

type ConfigRecord = Extract<
  MetadataRecord,
  { readonly type: 'topicConfigsChanged' | 'brokerConfigsChanged' | 'groupConfigsChanged' }
>

function recordOf(
  image: MetadataImage,
  rules: ConfigRules,
  change: ConfigChange,
): ConfigRecord | Mistake {
  const { resource } = change
  const before = configsOf(image, resource)
  if (isMistake(before)) return before
  const after = edited(before, rules, change)
  if (isMistake(after)) return after
  const configs = difference(before, after)
  const given = new Set(configs.filter(({ value }) => value !== null).map(({ name }) => name))
  const wrong =
    wrongWith(rules, resource, { configs: after, given }) ??
    losesState(image, resource, configs) ??
    bindsNobody(resource, given)
  if (wrong !== null) return wrong
  switch (resource.type) {
    case 'broker':
      return { type: 'brokerConfigsChanged', brokerId: resource.brokerId, configs }
    case 'group':
      return { type: 'groupConfigsChanged', groupId: resource.groupId, configs }
    case 'topic':
      return { type: 'topicConfigsChanged', topicId: image.topicByName(resource.name)!.id, configs }
  }
}

/** Without compaction retention would remove what brokers keep in their own topics: committed offsets, for one. */
function losesState(
  image: MetadataImage,
  resource: ConfigResource,
  changed: ConfigRecord['configs'],
): Mistake | null {
  if (resource.type !== 'topic' || !image.topicByName(resource.name)?.isInternal) return null
  const policy = changed.find(({ name }) => name === 'cleanup.policy')
  if (policy === undefined || policy.value?.includes('compact')) return null
  const message = `Topic '${resource.name}' keeps the state of brokers: its own cleanup.policy has to name 'compact'.`
  return mistake('INVALID_CONFIG', message)
}

/** Who gave a setting where nobody reads it would believe that it is in force. */
function bindsNobody(resource: ConfigResource, given: Names): Mistake | null {
  if (resource.type !== 'broker') return null
  const level: ConfigLevel = resource.brokerId === null ? 'all brokers' : 'one broker'
  const name = [...given].find(each => !isReadAt(each, level))
  if (name === undefined) return null
  const places = decidedConfigs.get(name)!.map(each => placeTexts[each])
  const whose = level === 'all brokers' ? "all brokers'" : "one broker's"
  const message = `${name} cannot be ${whose}: set it for ${places.join(', or for ')}.`
  return mistake('INVALID_CONFIG', message)
}

const placeTexts: Readonly<Record<ConfigLevel, string>> = {
  topic: 'a topic',
  'one broker': 'one broker, by its number',
  'all brokers': 'all brokers, with an empty name',
}

function configsOf(image: MetadataImage, resource: ConfigResource): Configs | Mistake {
  if (resource.type === 'broker') {
    const { brokerId } = resource
    if (brokerId === null || image.brokers.has(brokerId)) return image.brokerConfigs(brokerId)
    return mistake('INVALID_REQUEST', `Broker ${brokerId} is not registered.`)
  }
  if (resource.type === 'group') {
    if (resource.groupId !== '') return image.groupConfigs(resource.groupId)
    return mistake('INVALID_REQUEST', 'There are no configs of all groups: name one.')
  }
  const topic = image.topicByName(resource.name)
  if (topic !== undefined) return topic.configs
  if (resource.name === '') return mistake('INVALID_REQUEST', 'The topic has no name: give one.')
  const illegal = topicNameError(resource.name)
  if (illegal !== null) return mistake('INVALID_TOPIC_EXCEPTION', illegal)
  const absent = `There is no topic ${JSON.stringify(resource.name)}.`
  return mistake('UNKNOWN_TOPIC_OR_PARTITION', absent)
}

function edited(
  before: Configs,
  rules: ConfigRules,
  { resource, edits, isWhole }: ConfigChange,
): Configs | Mistake {
  const [twice] = duplicates(edits.map(({ name }) => name))
  if (twice !== undefined) {
    const message = `The request names config '${twice}' of ${textOf(resource)} more than once.`
    return mistake('INVALID_REQUEST', message)
  }
  const after = isWhole ? new Map<string, string>() : new Map(before)
  for (const edit of edits) {
    const value = editedValue(before, rules, resource, edit)
    if (value === null) after.delete(edit.name)
    else if (typeof value === 'string') after.set(edit.name, value)
    else return value
  }
  return after
}

/** null: none. */
function editedValue(
  before: Configs,
  rules: ConfigRules,
  resource: ConfigResource,
  edit: ConfigEdit,
): string | null | Mistake {
  if (edit.operation === 'delete') return null
  const { name, operation, value } = edit
  if (operation === 'set') return value
  const beneath = rules.listBeneath(resource, name)
  if (beneath === null) {
    const text = `Config '${name}' is not a list: set it as a whole.`
    const configs = new Map([[name, value]])
    return wrongWith(rules, resource, { configs }) ?? mistake('INVALID_CONFIG', text)
  }
  const items = itemsOf(before.get(name) ?? beneath)
  const named = itemsOf(value)
  const kept = operation === 'append' ? items : items.filter(item => !named.includes(item))
  const added = operation === 'append' ? named.filter(item => !items.includes(item)) : []
  return [...kept, ...added].join(',')
}

function itemsOf(list: string): string[] {
  return list
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')
}

function wrongWith(
  rules: ConfigRules,
  resource: ConfigResource,
  { configs, given }: { readonly configs: Configs; readonly given?: Names },
): Mistake | null {
  if (resource.type === 'broker') return rules.validateBrokerConfigs(configs, given)
  const message =
    resource.type === 'group'
      ? rules.validateGroupConfigs(configs, given)
      : rules.validateConfigs(configs, given)
  return message === null ? null : mistake('INVALID_CONFIG', message)
}

function difference(before: Configs, after: Configs): { name: string; value: string | null }[] {
  const gone = [...before.keys()].filter(name => !after.has(name))
  const set = [...after].filter(([name, value]) => before.get(name) !== value)
  return [
    ...gone.map(name => ({ name, value: null })),
    ...set.map(([name, value]) => ({ name, value })),
  ]
}

function keyOf(resource: ConfigResource): string {
  switch (resource.type) {
    case 'topic':
      return `topic ${resource.name}`
    case 'broker':
      return `broker ${resource.brokerId ?? ''}`
    case 'group':
      return `group ${resource.groupId}`
  }
}

function textOf(resource: ConfigResource): string {
  if (resource.type === 'topic') return `topic '${resource.name}'`
  if (resource.type === 'group') return `group '${resource.groupId}'`
  return resource.brokerId === null ? 'all brokers' : `broker ${resource.brokerId}`
}
