import type { CompactedTopic } from './compacted-topic.ts'

/** What is done to one compacted topic, and what of it is kept for the comparison. */
export interface CleaningScenario {
  readonly name: string
  /** Of the topic, over cleanup.policy=compact. */
  readonly configs?: Readonly<Record<string, string>>
  /** Returns what is done after the broker was stopped and started again, if anything. */
  readonly run: (topic: CompactedTopic) => Promise<void | AfterRestart>
}

export type AfterRestart = () => Promise<void>
