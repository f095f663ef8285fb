import type { ConfigChange, ReplicaMove } from '../brokers/brokers.ts'
import type { Overlap } from '../desired/secret.ts'
import type { Draft, ExactObject, Stored } from '../kubernetes/objects.ts'
import type { Resource } from '../kubernetes/resources.ts'

/** What the story of a cluster has to tell of a step, once it is done. */
export interface StepEvent {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly action: string
  readonly note: string
}

interface Common {
  /** The object that it is about, for logs: `StatefulSet orders-main-0`. */
  readonly what: string
  /** Why, as a clause, for logs. */
  readonly because: string
  readonly event?: StepEvent
  /** What can fail without anything being wrong with the brokers: then the others go on, and the status tells. */
  readonly isOptional?: true
  /**
   * What rests on it: where it fails, later steps that have one of these words too are left out, and the others go on. Not given:
   * all that comes later may rest on it.
   */
  readonly lines?: readonly string[]
  /** A trial beforehand: where the API server refuses it, the next plan decides by that, and tells it. */
  readonly isCheck?: true
  /** It permits what could destroy, were what is known of it old. */
  readonly isPermission?: true
}

/** One write, and nothing else: between any two of them the operator may end, and the next pass goes on. */
export type Step = Common &
  (
    | {
        /** Where the name is taken: `same` goes on if that object is of the same cluster, `fail` looks again. */
        readonly do: 'create'
        readonly resource: Resource<Stored>
        readonly draft: Draft
        readonly ifExists: 'fail' | 'same'
      }
    /** Without a uid: to be made, where nobody else has the name. */
    | { readonly do: 'apply'; readonly resource: Resource<Stored>; readonly draft: Draft }
    | { readonly do: 'apply status'; readonly resource: Resource<Stored>; readonly draft: Draft }
    | { readonly do: 'replace'; readonly resource: Resource<Stored>; readonly stored: Stored }
    | {
        readonly do: 'patch'
        readonly resource: Resource<Stored>
        readonly exactly: ExactObject
        readonly fields: Readonly<Record<string, unknown>>
      }
    | { readonly do: 'delete'; readonly resource: Resource<Stored>; readonly exactly: ExactObject }
    /** The Secret with passwords that chance gives. */
    | { readonly do: 'make secret' }
    /** The Secret of an earlier LogCluster of the name goes with this one. */
    | { readonly do: 'take over secret' }
    /** The next state of the Secret while its passwords change. */
    | { readonly do: 'rotate secret'; readonly to: Overlap; readonly rotatedAt: string }
    /** Of a LogBroker's status: what is, or may be, set for the spec. Nothing is written where it says so already. */
    | {
        readonly do: 'remember configs'
        readonly broker: string
        readonly configs: Readonly<Record<string, string>>
      }
    | {
        readonly do: 'alter configs'
        /** Whom to ask. */
        readonly broker: string
        readonly changes: readonly ConfigChange[]
      }
    | {
        readonly do: 'move replicas'
        /** Whom to ask. */
        readonly broker: string
        readonly moves: readonly ReplicaMove[]
      }
    | {
        readonly do: 'unregister broker'
        /** Whom to ask. */
        readonly broker: string
        readonly brokerId: number
      }
    /** Asks the controller to count on a broker's directory no more. */
    | {
        readonly do: 'retire directory'
        /** Whose it was: the others are asked. */
        readonly broker: string
        readonly directoryId: string
        /** Partitions that may be lost by it, `orders-0`. */
        readonly acceptDataLoss: readonly string[]
      }
  )

/** `steps`, on each of which only what has one of the `lines` rests. */
export function inLine(lines: readonly string[], steps: readonly Step[]): Step[] {
  return steps.map(step => ({ lines, ...step }))
}

/** As `inLine`, where nothing rests on any of them. */
export function optional(steps: readonly Step[]): Step[] {
  return steps.map(step => ({ ...step, isOptional: true }))
}

/** Steps that wait for one that failed. */
export class Held {
  readonly #lines = new Set<string>()
  #isAll = false

  has({ lines = [] }: Step): boolean {
    return this.#isAll || lines.some(line => this.#lines.has(line))
  }

  /** The step failed. */
  by({ lines, isOptional }: Step): void {
    if (isOptional === true) return
    if (lines === undefined) this.#isAll = true
    for (const line of lines ?? []) this.#lines.add(line)
  }
}

/** Which object, and no other of its name. */
export function exactly({ metadata }: Stored): ExactObject {
  const { namespace, name, uid, resourceVersion } = metadata
  return { ...(namespace === undefined ? {} : { namespace }), name, uid, resourceVersion }
}

/** Whether a step destroys or permits something: then caches are not enough to decide it by. */
export function needsLiveLook(step: Step): boolean {
  return step.isPermission === true || step.do === 'delete' || step.do === 'replace'
}
