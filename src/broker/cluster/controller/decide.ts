import { unreachable } from '../../../lib/assert.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { decideAllocateProducerIds, producerIdBlockCount } from './allocate-producer-ids.ts'
import { type ConfigRules, decideAlterConfigs } from './alter-configs.ts'
import { decideAlterScramUsers } from './alter-scram-users.ts'
import type { Command } from './commands.ts'
import { decideCreatePartitions } from './create-partitions.ts'
import { decideCreateTopics, type TopicRules } from './create-topics.ts'
import type { Decision } from './decision.ts'
import { decideDeleteTopics } from './delete-topics.ts'
import { notBuiltYet } from './refusals.ts'
import { decideRegisterBroker } from './register-broker.ts'

export type DecisionRules = TopicRules & ConfigRules

interface DecisionOptions {
  readonly rules: DecisionRules
  /** Of the append that will carry the records. */
  readonly sequence: number
  /** Default: that of the module. */
  readonly producerIdBlockCount?: number | undefined
}

/** What becomes of `command` upon `image`. */
export function decide(image: MetadataImage, command: Command, options: DecisionOptions): Decision {
  const { rules, sequence } = options
  switch (command.type) {
    case 'createTopics':
      return decideCreateTopics(image, command.drafts, { ...command, rules })
    case 'createPartitions':
      return decideCreatePartitions(image, command.drafts, { ...command, rules })
    case 'deleteTopics':
      return decideDeleteTopics(image, command.targets)
    case 'alterConfigs':
      return decideAlterConfigs(image, command.changes, { ...command, rules })
    case 'alterScramUsers':
      return decideAlterScramUsers(image, command.changes)
    case 'registerBroker':
      return decideRegisterBroker(image, command, sequence)
    case 'allocateProducerIds':
      return decideAllocateProducerIds(
        image,
        command.brokerId,
        options.producerIdBlockCount ?? producerIdBlockCount,
      )
    case 'heartbeat':
    case 'alterPartitions':
    case 'electLeaders':
    case 'alterReassignments':
    case 'unregisterBroker':
    case 'retireDirectory':
    case 'failDirectory':
    case 'endQuarantine':
      return { records: [], image, answer: notBuiltYet(command.type) }
    default:
      return unreachable(command)
  }
}
