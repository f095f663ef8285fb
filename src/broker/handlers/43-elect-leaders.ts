import type { MetadataImage, TopicImage } from '../metadata/image.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  electLeaders,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'

type Result = ElectLeadersResponse['replicaElectionResults'][number]['partitionResult'][number]

/** Preferred, and unclean (KIP-460). */
const electionTypes = [0, 1]

/**
 * ElectLeaders: v0-2. The only replica of a partition leads it: no election is needed anywhere. Where the request names no
 * partitions, those that need none are left out, as in Kafka.
 */
export function electLeadersHandler(
  image: () => MetadataImage,
): Handler<ElectLeadersRequest, ElectLeadersResponse> {
  return {
    api: electLeaders,
    handle({ electionType, topicPartitions }) {
      const isKnown = electionTypes.includes(electionType)
      const topics = isKnown ? [...image().topics()] : []
      const replicaElectionResults =
        topicPartitions === null
          ? topics.map(({ name }) => ({ topic: name, partitionResult: [] }))
          : topicPartitions.map(({ topic, partitions }) => ({
              topic,
              partitionResult: partitions.map(at =>
                isKnown
                  ? resultOf(image().topicByName(topic), topic, at)
                  : result(at, 'INVALID_REQUEST', unknownType(electionType)),
              ),
            }))
      const error = isKnown ? 'NONE' : 'INVALID_REQUEST'
      return { throttleTimeMs: 0, errorCode: errorCode(error), replicaElectionResults }
    },
  }
}

function resultOf(topic: TopicImage | undefined, name: string, at: number): Result {
  if (topic?.partitions[at] !== undefined) {
    return result(at, 'ELECTION_NOT_NEEDED', `Partition ${at} of topic '${name}' is led already.`)
  }
  const absent = `There is no partition ${at} of topic '${name}'.`
  return result(at, 'UNKNOWN_TOPIC_OR_PARTITION', absent)
}

function result(partitionId: number, error: ErrorName, errorMessage: string): Result {
  return { partitionId, errorCode: errorCode(error), errorMessage }
}

function unknownType(type: number): string {
  return `There is no election of type ${type}: 0 is that of the preferred leader, 1 the unclean one.`
}
