import { withinBounds } from '../crd/bounds.ts'
import { configTexts } from '../crd/config-texts.ts'
import type { Condition } from '../crd/condition.ts'
import type { LogTopic, LogTopicStatus, TopicConditionType } from '../crd/topic.ts'
import type { Refusal } from '../brokers/brokers.ts'
import { recordedId, topicNameOf } from './world.ts'
import { leaveTopic, type Problem, type Verdict } from './verdict.ts'

/** What became of an act at the brokers. */
export interface Done {
  /** Of the topic that was made; null where none was. */
  readonly createdId: string | null
  readonly refusals: {
    readonly create?: Refusal
    readonly partitions?: Refusal
    readonly configs?: Refusal
    readonly replicas?: Refusal
    readonly delete?: Refusal
  }
}

export const nothingDone: Done = { createdId: null, refusals: {} }

/** The status that says what is after the act; `nowMs` since 1970 is for conditions that have just turned. */
export function statusAfter(verdict: Verdict, done: Done, nowMs: number): LogTopicStatus {
  const { topic, seen, act } = verdict
  const refused = problemOf(done)
  const isUnderWay = verdict.problem?.ofReplicas !== undefined
  const problem = isUnderWay ? (refused ?? verdict.problem) : (verdict.problem ?? refused)
  const { clusterId } = verdict
  const made = done.createdId ?? (act.do === 'adopt' ? seen?.topicId : undefined)
  const topicId = recordedId(topic, clusterId) ?? made
  const ofCluster = made === undefined ? topic.status.clusterId : (clusterId ?? undefined)
  const partitions = partitionsAfter(verdict, done)
  const replicationFactor = act.do === 'create' ? createdFactor(verdict) : factorOf(verdict)
  return withinBounds('LogTopic', {
    observedGeneration: topic.metadata.generation,
    topicName: topicNameOf(topic),
    ...defined('clusterId', ofCluster),
    ...defined('topicId', topicId),
    ...defined('partitions', partitions ?? topic.status.partitions),
    ...defined('replicationFactor', replicationFactor ?? topic.status.replicationFactor),
    ...defined('appliedConfig', appliedAfter(verdict, done)),
    conditions: conditionsOf(topic, problem, nowMs),
  })
}

function defined<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value })
}

/** Not known of a topic that was made by the cluster's default; the next look tells. */
function createdFactor({ act }: Verdict): number | undefined {
  return act.do === 'create' && act.wish.replicationFactor > 0
    ? act.wish.replicationFactor
    : undefined
}

/** The earlier number until every partition has the other one, and its replicas are complete. */
function factorOf({ topic, seen, isChangingReplicas }: Verdict): number | undefined {
  return (
    (isChangingReplicas ? topic.status.replicationFactor : undefined) ?? seen?.replicationFactor
  )
}

function partitionsAfter(
  { act, seen }: Verdict,
  { refusals, createdId }: Done,
): number | undefined {
  if (act.do === 'create') {
    return createdId !== null && act.wish.partitionCount > 0 ? act.wish.partitionCount : undefined
  }
  if (act.do !== 'change' && act.do !== 'adopt') return seen?.partitionCount
  const wanted = act.change.partitionCount
  return wanted !== null && refusals.partitions === undefined ? wanted : seen?.partitionCount
}

/** What of the topic's configs is ours to reset one day. A refused change may be half of one: both stay remembered. */
function appliedAfter(
  { topic, act }: Verdict,
  { refusals, createdId }: Done,
): Record<string, string> | undefined {
  const before = topic.status.appliedConfig
  const isAtWork = act.do === 'change' || act.do === 'adopt' || createdId !== null
  if (!isAtWork) return before
  const wanted = Object.fromEntries(configTexts(topic.spec.config).texts)
  return refusals.configs === undefined ? wanted : { ...before, ...wanted }
}

function problemOf({ refusals }: Done): Problem | null {
  const { create, partitions, configs, replicas, delete: deletion } = refusals
  if (deletion !== undefined) {
    const message = `The brokers refuse to delete the topic: ${deletion.message} ${leaveTopic}`
    return { reason: 'DeleteRefused', message, status: 'False' }
  }
  if (create !== undefined) {
    const isOfConfig = create.error === 'INVALID_CONFIG'
    return {
      reason: isOfConfig ? 'ConfigRefused' : 'CreateRefused',
      message: `The brokers refuse to make the topic: ${create.message}`,
      status: 'False',
      ...(isOfConfig ? { isOfConfig } : {}),
    }
  }
  if (partitions !== undefined) {
    const message = `The brokers refuse more partitions: ${partitions.message}`
    return { reason: 'PartitionsRefused', message, status: 'False' }
  }
  if (configs !== undefined) {
    const message = `The brokers refuse spec.config: ${configs.message}`
    return { reason: 'ConfigRefused', message, status: 'False', isOfConfig: true }
  }
  if (replicas === undefined) return null
  const message = `The brokers refuse to move replicas: ${replicas.message}`
  return { reason: 'ReplicasRefused', message, status: 'False', ofReplicas: 'in the way' }
}

type TopicCondition = Condition<TopicConditionType>

function conditionsOf(topic: LogTopic, problem: Problem | null, nowMs: number): TopicCondition[] {
  const ready: Said =
    problem === null
      ? { status: 'True', reason: 'AsWanted', message: 'The topic is there as it is wanted.' }
      : problem
  const config: Said =
    problem === null || problem.ofReplicas !== undefined
      ? { status: 'True', reason: 'Applied', message: 'The topic has all of spec.config.' }
      : problem.isOfConfig === true
        ? problem
        : { ...problem, status: 'Unknown' }
  return [condition(topic, 'Ready', ready, nowMs), condition(topic, 'ConfigApplied', config, nowMs)]
}

type Said = Pick<TopicCondition, 'status' | 'reason' | 'message'>

function condition(
  { metadata, status: was }: LogTopic,
  type: TopicConditionType,
  { status, reason, message }: Said,
  nowMs: number,
): TopicCondition {
  const before = was.conditions?.find(it => it.type === type)
  const isSame = before?.status === status
  return {
    type,
    status,
    observedGeneration: metadata.generation,
    lastTransitionTime: isSame ? before.lastTransitionTime : timeOf(nowMs),
    reason,
    message,
  }
}

/** As metav1.Time, which has no fractions. */
function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** Whether a status says the same as the other, in whatever order its keys are. */
export function isSameStatus(a: LogTopicStatus, b: LogTopicStatus): boolean {
  return canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
