import type { ObjectEvent } from '../kubernetes/events.ts'
import type { LogTopic, LogTopicStatus } from '../crd/topic.ts'
import type { Done } from './topic-status.ts'
import { isEmpty, type TopicChange, type Verdict } from './verdict.ts'
import { topicNameOf } from './world.ts'

type TopicEvent = Omit<ObjectEvent, 'regarding'>

/** What was done for a LogTopic, to tell in its story; null where nothing was. */
export function eventOfAct(verdict: Verdict, done: Done): TopicEvent | null {
  const { topic, seen, act } = verdict
  const name = topicNameOf(topic)
  const normal = (reason: string, action: string, note: string): TopicEvent => ({
    type: 'Normal',
    reason,
    action,
    note,
  })
  switch (act.do) {
    case 'nothing':
      return null
    case 'create':
      return done.createdId === null
        ? null
        : normal('TopicCreated', 'Create', `Made the topic ${name} with the id ${done.createdId}.`)
    case 'adopt':
      return normal(
        'TopicAdopted',
        'Adopt',
        `The topic ${name} was there already, with the id ${seen!.topicId} and ${seen!.partitionCount} partitions: it is looked after from now on.${changed(act.change, done)}`,
      )
    case 'change': {
      const note = changed(act.change, done).trim()
      return note === '' ? null : normal('TopicChanged', 'Change', note)
    }
    case 'delete':
      return done.refusals.delete === undefined
        ? normal('TopicDeleted', 'Delete', `Deleted the topic ${name} with the id ${act.topicId}.`)
        : null
  }
}

function changed(change: TopicChange, { refusals }: Done): string {
  if (isEmpty(change)) return ''
  const partitions = refusals.partitions === undefined ? change.partitionCount : null
  const moves = refusals.replicas === undefined ? (change.moves ?? []) : []
  const configs = refusals.configs === undefined ? Object.entries(change.configs) : []
  const set = configs.flatMap(([key, value]) => (value === null ? [] : [`${key}=${value}`]))
  const reset = configs.flatMap(([key, value]) => (value === null ? [key] : []))
  return [
    ...(partitions === null ? [] : [` It has ${partitions} partitions now.`]),
    ...(moves.length === 0 ? [] : [` Replicas of ${moves.length} partitions begin to move.`]),
    ...(set.length === 0 ? [] : [` Set ${set.join(', ')}.`]),
    ...(reset.length === 0 ? [] : [` Reset ${reset.join(', ')}.`]),
  ].join('')
}

/** What stands between a LogTopic and its wish, or does not any more, where that is news; null where it is not. */
export function eventOfProblem(topic: LogTopic, after: LogTopicStatus): TopicEvent | null {
  const is = readyOf(after)
  const was = readyOf(topic.status)
  if (is === undefined) return null
  if (is.status === 'True') return was?.reason === underWay ? settled(after) : null
  // What was begun is told as a change.
  if (is.reason === underWay) return null
  if (was?.reason === is.reason && was.message === is.message) return null
  return { type: 'Warning', reason: is.reason, action: 'Reconcile', note: is.message }
}

/** Of the condition Ready, while replicas are on their way. */
const underWay = 'ReplicasChanging'

function settled({ replicationFactor }: LogTopicStatus): TopicEvent {
  return {
    type: 'Normal',
    reason: 'ReplicasChanged',
    action: 'Change',
    note: `Each partition has ${replicationFactor} replicas now.`,
  }
}

function readyOf({ conditions }: LogTopicStatus) {
  return conditions?.find(({ type }) => type === 'Ready')
}
