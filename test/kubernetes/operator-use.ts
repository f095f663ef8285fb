import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { AuditLog, type AuditEvent } from './control-plane/audit.ts'
import { forbidden, needed } from './permissions.ts'

/** Where the scenarios of a whole run leave what operators asked of their API servers; not set where no whole run is. */
const variable = 'OPERATOR_USE'

/** Who runs an operator in a scenario: an account that the chart made, or a user of a scenario without nodes. */
const operators = /^(system:serviceaccount:.+:(again-)?logcluster|operator-.+|limited)$/

/** What operators did at one API server: permissions that this needed, and requests that no role permitted. */
interface Use {
  readonly needed: readonly string[]
  readonly forbidden: readonly string[]
}

/** Keeps what operators did at the API server of the cluster in `folder`, which is about to go. */
export async function keepUse(folder: string): Promise<void> {
  const kept = process.env[variable]
  if (kept === undefined) return
  const all = await new AuditLog(folder).of(operators)
  const use: Use = { needed: [...needed(all)], forbidden: forbidden(all).map(told) }
  writeFileSync(join(kept, `${basename(folder)}.json`), JSON.stringify(use))
}

function told({ verb, requestURI, user }: AuditEvent): string {
  return `${user.username}: ${verb} ${requestURI}`
}

/** Of a whole run: it begins before the scenarios do, and is read after they ended. */
export class OperatorUse {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** From now on every cluster of this process's children leaves what it saw. */
  static collect(): OperatorUse {
    const folder = mkdtempSync(join(tmpdir(), 'logcluster-operator-use-'))
    process.env[variable] = folder
    return new OperatorUse(folder)
  }

  get needed(): ReadonlySet<string> {
    return new Set(this.#all.flatMap(use => use.needed))
  }

  get forbidden(): readonly string[] {
    return this.#all.flatMap(use => use.forbidden)
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }

  get #all(): readonly Use[] {
    return readdirSync(this.#folder).map(
      file => JSON.parse(readFileSync(join(this.#folder, file), 'utf8')) as Use,
    )
  }
}
