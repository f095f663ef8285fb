import { unreachable } from '../../../lib/assert.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import { decideAllocateProducerIds, producerIdBlockCount } from './allocate-producer-ids.ts'
import { type ConfigRules, decideAlterConfigs } from './alter-configs.ts'
import { decideAlterPartitions } from './alter-partitions.ts'
import { decideAlterReassignments } from './alter-reassignments.ts'
import { decideAlterScramUsers } from './alter-scram-users.ts'
import type { Command } from './commands.ts'
import { decideCreatePartitions } from './create-partitions.ts'
import { decideCreateTopics, type TopicRules } from './create-topics.ts'
import type { Decision } from './decision.ts'
import { decideDeleteTopics } from './delete-topics.ts'
import { decideFailDirectory, decideRetireDirectory } from './directories.ts'
import { decideElectLeaders } from './elect-leaders.ts'
import { decideEndQuarantine } from './quarantine.ts'
import { notBuiltYet, quarantined } from './refusals.ts'
import { decideRegisterBroker } from './register-broker.ts'
import type { Sessions } from './sessions.ts'
import { decideUnregisterBroker } from './unregister-broker.ts'

export type DecisionRules = TopicRules & ConfigRules

interface DecisionOptions {
  readonly rules: DecisionRules
  /** Of the append that will carry the records. */
  readonly sequence: number
  /** Default: that of the module. */
  readonly producerIdBlockCount?: number | undefined
  readonly sessions: Pick<Sessions, 'isLive' | 'lastBeat'>
  /** Of the log's record of that sequence; null where it is not known. */
  readonly hashAt: (sequence: number) => string | null
}

/** Whether the command asks only if it could be done. */
export function isTrial(command: Command): boolean {
  return 'validateOnly' in command && command.validateOnly
}

/** As the command would be if it were to be done. */
export function inEarnest(command: Command): Command {
  return isTrial(command) ? ({ ...command, validateOnly: false } as Command) : command
}

/** What becomes of `command` upon `image`. */
export function decide(image: MetadataImage, command: Command, options: DecisionOptions): Decision {
  const { rules, sequence } = options
  if (image.quarantine !== null && command.type !== 'endQuarantine') {
    return { records: [], image, answer: quarantined(image.quarantine) }
  }
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
      return decideRegisterBroker(image, command, {
        sequence,
        isLive: options.sessions.isLive(command.brokerId),
        lastBeat: options.sessions.lastBeat(command.brokerId),
        hashAt: options.hashAt,
      })
    case 'allocateProducerIds':
      return decideAllocateProducerIds(
        image,
        command.brokerId,
        options.producerIdBlockCount ?? producerIdBlockCount,
      )
    case 'alterPartitions':
      return decideAlterPartitions(image, command)
    case 'electLeaders':
      return decideElectLeaders(image, command)
    case 'unregisterBroker':
      return decideUnregisterBroker(image, command.brokerId)
    case 'retireDirectory':
      return decideRetireDirectory(image, command)
    case 'failDirectory':
      return decideFailDirectory(image, command)
    case 'endQuarantine':
      return decideEndQuarantine(image)
    case 'alterReassignments':
      return decideAlterReassignments(image, command)
    case 'heartbeat':
    case 'describeQuorum':
      return { records: [], image, answer: notBuiltYet(command.type) }
    default:
      return unreachable(command)
  }
}
