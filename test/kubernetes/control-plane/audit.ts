import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Every request once, with who, what and how it ended, without bodies. */
const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata' }],
}

/** The parts of an entry that tests ask for. */
export interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly userAgent?: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly resource: string
    readonly namespace?: string
    readonly name?: string
    readonly apiGroup?: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code: number; readonly reason?: string }
  readonly requestReceivedTimestamp: string
  readonly annotations?: Readonly<Record<string, string>>
}

/** The API server's audit log, which lies in a cluster's folder, and in which an entry stands before its request is answered. Watches are there when they end. */
export class AuditLog {
  readonly #log: string

  constructor(folder: string) {
    this.#log = join(folder, 'audit.log')
  }

  /** Writes the policy; returns the flags that tell kube-apiserver of it. */
  begin(): Readonly<Record<string, string>> {
    const file = `${this.#log}.policy`
    writeFileSync(file, JSON.stringify(policy))
    return { 'audit-policy-file': file, 'audit-log-path': this.#log }
  }

  /** A place in the log: here it ends now. */
  mark(): number {
    return statSync(this.#log).size
  }

  /** What users whose names match asked since the start, however long the log has become; nothing where there is none yet. */
  async of(users: RegExp): Promise<AuditEvent[]> {
    if (!existsSync(this.#log)) return []
    const found: AuditEvent[] = []
    for await (const line of createInterface({ input: createReadStream(this.#log) })) {
      const name = /"username":"([^"]*)"/.exec(line)?.[1]
      // What is half written has its end elsewhere.
      if (name !== undefined && users.test(name) && line.endsWith('}')) {
        found.push(JSON.parse(line) as AuditEvent)
      }
    }
    return found
  }

  /** What was asked since a `mark`, by default since the start; an entry that is half written is left for later. */
  since(mark = 0): AuditEvent[] {
    const bytes = this.#from(mark)
    return bytes
      .subarray(0, bytes.lastIndexOf(0x0a) + 1)
      .toString()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as AuditEvent)
  }
  /** However long it has become, no more than that. */
  #from(mark: number): Buffer {
    const file = openSync(this.#log, 'r')
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - mark))
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, mark))
    } finally {
      closeSync(file)
    }
  }
}
