import { BrokerError } from '../brokers/broker-error.ts'
import type { BrokerAccess, Outcome } from '../brokers/brokers.ts'
import { withinBounds } from '../crd/bounds.ts'
import { claimAnnotations } from '../desired/claim.ts'
import {
  privateSecret,
  rotatedSecret,
  takenOver,
  type PrivatePasswords,
} from '../desired/secret.ts'
import type { LogCluster } from '../crd/cluster.ts'
import { privatePort } from '../crd/ports.ts'
import { canonical } from '../desired/hash.ts'
import { ApiError, isAlreadyExists } from '../kubernetes/api-error.ts'
import type { Draft, Secret, Stored } from '../kubernetes/objects.ts'
import { resources, type Resource } from '../kubernetes/resources.ts'
import { named } from '../plan/broker-view.ts'
import { differenceFrom, type Difference } from '../plan/difference.ts'
import { logBrokers } from '../own-kinds.ts'
import type { Observed } from '../plan/observed.ts'
import { names } from '../desired/names.ts'
import { exactlyOver } from '../plan/applied.ts'
import { podMonitors } from '../plan/kinds.ts'
import { isOf, isOfAnother, whose } from '../plan/ownership.ts'
import { statusDraft } from '../plan/status-draft.ts'
import type { Step } from '../plan/step.ts'
import type { ClusterParts } from './parts.ts'

/** A name that is needed is taken by an object of another cluster. */
export class TakenError extends Error {
  override readonly name = 'TakenError'
}

/** What was applied is there, and not as it was applied: the same apply would come to the same. */
export class AlteredError extends Error {
  override readonly name = 'AlteredError'

  constructor({ path, live, wanted }: Difference) {
    super(
      `it was applied, and ${path} is ${written(live)} all the same, not ${written(wanted)}: something between the operator and etcd changes it, such as a mutating webhook. ` +
        `Until it lets this object be, or the spec says the same as it does, no broker is restarted with it.`,
    )
  }
}

function written(value: unknown): string {
  const text = value === undefined ? 'missing' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}

/** The one place where passes write: each call is one write, between two of which the operator may end. */
export class Executor {
  readonly #parts: ClusterParts

  constructor(parts: ClusterParts) {
    this.#parts = parts
  }

  /** @throws ApiError, BrokerError, TakenError, AlteredError */
  async execute(step: Step, observed: Observed, passwords: Passwords): Promise<void> {
    const { api } = this.#parts
    switch (step.do) {
      case 'create':
        return this.#create(step, observed)
      case 'apply':
        return this.#apply(step, observed)
      case 'apply status':
        await api.applyStatus(step.resource, step.draft)
        return
      case 'replace':
        await api.replace(step.resource, step.stored)
        return
      case 'patch':
        await api.patch(step.resource, step.exactly, step.fields)
        return
      case 'delete':
        await api.delete(step.resource, step.exactly)
        return
      case 'make secret':
        return this.#makeSecret(observed)
      case 'take over secret':
        return this.#changeSecret(observed, live => takenOver(live, observed.cluster))
      case 'rotate secret':
        return this.#changeSecret(observed, live =>
          rotatedSecret(live, step, () => this.#passwords()),
        )
      case 'remember configs':
        return this.#remember(step.broker, step.configs, observed)
      case 'alter configs': {
        const access = present(step.broker, observed, await passwords('operator'))
        return refuse(await this.#parts.brokers.alterConfigs(access, step.changes))
      }
      case 'move replicas': {
        const access = present(step.broker, observed, await passwords('operator'))
        return refuse(await this.#parts.brokers.moveReplicas(access, step.moves))
      }
      case 'unregister broker': {
        const access = present(step.broker, observed, await passwords('operator'))
        return refuse([await this.#parts.brokers.unregister(access, step.brokerId)])
      }
      case 'retire directory':
        return this.#retire(step, observed, await passwords('broker'))
    }
  }

  async #create(
    { resource, draft, ifExists }: Extract<Step, { do: 'create' }>,
    { cluster }: Observed,
  ): Promise<void> {
    try {
      await this.#parts.api.create(resource, draft)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const live = await this.#named(resource, draft)
      if (live !== null && isOfAnother(live, cluster)) throw taken(draft, live, cluster)
      if (ifExists === 'fail') throw error
      acceptSame(draft, live)
    }
  }

  /**
   * An apply makes what is not there, and would as well take over what somebody else has of that name, and have it deleted with the
   * LogCluster: so whoever is to be made is looked for, and an object that is there is applied over by its uid. A POST, which is refused
   * where the name is taken, would leave us the writer of its fields in two ways, and none of them could be taken back by an apply.
   */
  async #apply(
    { resource, draft }: Extract<Step, { do: 'apply' }>,
    { cluster }: Observed,
  ): Promise<void> {
    const { api } = this.#parts
    const live = draft.metadata.uid === undefined ? await this.#named(resource, draft) : null
    if (live !== null && !isOf(live, cluster)) {
      throw taken(draft, live, cluster)
    }
    const made = await api.apply(resource, live === null ? draft : exactlyOver(live, draft))
    const difference = differenceFrom(made, draft)
    if (difference !== null) throw new AlteredError(difference)
  }

  /** Most kinds are listed, and never got: no role has to permit more for this. */
  async #named(resource: Resource<Stored>, { metadata }: Draft): Promise<Stored | null> {
    const { api } = this.#parts
    const { namespace, name } = metadata
    if (resource.kind === podMonitors.kind) return api.get(resource, metadata)
    const scope = { namespace: namespace!, fieldSelector: `metadata.name=${name}` }
    return named(await api.list(resource, scope), name)
  }

  /** 256 bits each, in letters that need no escape anywhere. */
  async #makeSecret({ cluster }: Observed): Promise<void> {
    await this.#parts.api.create(resources.secrets, privateSecret(cluster, this.#passwords()))
  }

  #passwords(): PrivatePasswords {
    const password = (): string =>
      Buffer.from(this.#parts.random.bytes(32).buffer).toString('base64url')
    return { operator: password(), broker: password() }
  }

  /** By compare-and-swap over the Secret as it is now. */
  async #changeSecret({ cluster }: Observed, next: (live: Secret) => Secret | null): Promise<void> {
    const { namespace, name } = cluster.metadata
    const at = { namespace, name: names.privateSecret(name) }
    const live = await this.#parts.api.get(resources.secrets, at)
    const changed = live === null ? null : next(live)
    if (changed !== null) await this.#parts.api.replace(resources.secrets, changed)
  }

  async #remember(
    broker: string,
    configs: Readonly<Record<string, string>>,
    { logBrokers: all }: Observed,
  ): Promise<void> {
    const live = named(all, broker)
    if (live === null) return
    const status = withinBounds('LogBroker', { ...live.status, appliedConfig: configs })
    if (canonical(live.status.appliedConfig) === canonical(status.appliedConfig)) return
    await this.#parts.api.applyStatus(logBrokers, statusDraft(live, status, 'any version'))
  }

  /** Whoever of the others is the controller decides. */
  async #retire(
    { broker, directoryId, acceptDataLoss }: Extract<Step, { do: 'retire directory' }>,
    observed: Observed,
    password: string | null,
  ): Promise<void> {
    const others = observed.logBrokers.filter(({ metadata }) => metadata.name !== broker)
    for (const { metadata } of others) {
      const access = accessTo(metadata.name, observed, password)
      const isSeen = observed.sights.get(metadata.name)?.kind === 'seen'
      if (access === null || !isSeen) continue
      const wish = { directoryId, acceptDataLoss }
      const outcome = await this.#parts.brokers.retireDirectory({ ...access, user: 'broker' }, wish)
      if (outcome === null) return
      if (outcome.error === 'NOT_CONTROLLER') continue
      const where = `Name partitions that you give up in spec.acceptDataLoss of LogBroker ${broker}.`
      const hint = outcome.error === 'POLICY_VIOLATION' ? ` ${where}` : ''
      throw new BrokerError('answered', `${outcome.message}${hint}`, { error: outcome.error })
    }
    throw new BrokerError('unreachable', 'no broker that answers is the controller just now')
  }
}

/** What there is of a name that is wanted, and is somebody else's. What another LogCluster has it would make again. */
function taken(draft: Draft, live: Stored, cluster: LogCluster): TakenError {
  const ways = isOfAnother(live, cluster)
    ? 'choose another name for this LogCluster, or for the pool or the listener that it is for'
    : 'delete it or give it another name, or choose another one for this LogCluster, or for the pool or the listener that it is for'
  return new TakenError(
    `${draft.kind} ${draft.metadata.name} is there already, and is ${whose(live)}: ${ways}`,
  )
}

/** A pass before this one made it and could not say so; or somebody else did. @throws TakenError */
function acceptSame(draft: Draft, live: Stored | null): void {
  const wanted = draft.metadata.annotations?.[claimAnnotations.clusterId]
  const found = live?.metadata.annotations?.[claimAnnotations.clusterId]
  const isSame =
    wanted === undefined ? canonical(dataOf(live)) === canonical(dataOf(draft)) : wanted === found
  if (live !== null && isSame) return
  throw new TakenError(
    `${draft.kind} ${draft.metadata.name} is there already, and not of this cluster${found === undefined ? '' : ` but of ${found}`}: move or delete it`,
  )
}

/** @throws BrokerError where the broker has no pod to ask */
function present(broker: string, observed: Observed, password: string | null): BrokerAccess {
  const access = accessTo(broker, observed, password)
  if (access === null) throw new BrokerError('unreachable', `broker ${broker} has no pod to ask`)
  return access
}

/** @throws BrokerError with the first that was refused */
function refuse(outcomes: readonly Outcome[]): void {
  const refused = outcomes.find(outcome => outcome !== null)
  if (refused === undefined || refused === null) return
  throw new BrokerError('answered', refused.message, { error: refused.error })
}

/** Of the principals at the private listeners; null where the Secret is not there. */
type Passwords = (user: 'operator' | 'broker') => Promise<string | null>

/** Where the broker of this name answers; null where it does not run. */
function accessTo(
  broker: string,
  { pods }: Observed,
  password: string | null,
): BrokerAccess | null {
  const host = named(pods, names.pod(broker))?.status?.podIP
  return host === undefined || password === null ? null : { host, port: privatePort, password }
}

function dataOf(object: Draft | null): unknown {
  return object === null ? null : (object as { readonly data?: unknown }).data
}

/** Whether a write that failed says something about what is wanted, which a person must know, and not about the moment. */
export function isTelling(
  error: unknown,
): error is ApiError | BrokerError | TakenError | AlteredError {
  if (error instanceof TakenError || error instanceof AlteredError) return true
  if (error instanceof BrokerError) return error.kind === 'answered'
  if (!(error instanceof ApiError) || error.kind !== 'refused') return false
  return [400, 403, 404, 405, 409, 413, 422].includes(error.code) && error.reason !== 'Conflict'
}
