import { CompactedTopic, type Findings, type Subject } from './compacted-topic.ts'
import type { AfterRestart, CleaningScenario } from './scenario.ts'

/** A broker that can be started again. */
export interface RestartableSubject extends Subject {
  /** Stops it in good order and starts it on its data. */
  restart(): Promise<void>
}

/** By scenario. */
export interface Outcomes {
  readonly found: Readonly<Record<string, Findings>>
  readonly failures: Readonly<Record<string, unknown>>
}

/** Runs scenarios one after the other, then what each does after a restart. One that fails does not end the others. */
export async function runScenarios(
  subject: RestartableSubject,
  scenarios: readonly CleaningScenario[],
): Promise<Outcomes> {
  const found: Record<string, Findings> = {}
  const failures: Record<string, unknown> = {}
  const rest: [string, AfterRestart][] = []
  const noted = (name: string) => (error: unknown) => void (failures[name] = error)
  for (const { name, configs = {}, run } of scenarios) {
    const topic = new CompactedTopic(subject, name.replaceAll(/[^a-z0-9.]+/gi, '-'))
    found[name] = topic.findings
    const after = await topic
      .make(configs)
      .then(() => run(topic))
      .catch(noted(name))
    if (after !== undefined) rest.push([name, after])
  }
  if (rest.length > 0) await subject.restart()
  for (const [name, after] of rest) await after().catch(noted(name))
  return { found, failures }
}
