import type { Bench } from './bench.ts'
import type { Goal } from './goals.ts'
import type { Round } from './results.ts'

/** One question to both brokers: `npm run bench -- versus-kafka NAME`. */
export interface Scenario {
  /** On the command line and in the results. */
  readonly name: string
  /** Heads its table on the page. */
  readonly title: string
  /** Under that heading, in Markdown: what was done, so that the names of the measures are understood. */
  readonly text: string
  readonly goals: readonly Goal[]
  /** Why it cannot be asked on this machine; null where it can. */
  whyNot?(): string | null
  /** `rounds` are those asked for; it may make more or fewer of them. */
  run(bench: Bench, rounds: number): Promise<readonly Round[]>
}
