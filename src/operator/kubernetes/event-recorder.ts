import type { Clock } from '../../env/clock.ts'
import type { Random } from '../../env/random.ts'
import type { KubernetesApi } from './api.ts'
import { ApiError, isInvalid } from './api-error.ts'
import { EventSeries, type EventWrite } from './event-series.ts'
import type { Events, ObjectEvent } from './events.ts'
import { microTime } from './leader.ts'
import type { Draft, Stored } from './objects.ts'
import { namespaced } from './resources.ts'

export interface EventRecorderOptions {
  readonly api: Pick<KubernetesApi, 'create' | 'apply'>
  readonly clock: Clock
  readonly random: Random
  /** This process, as the pod's name. */
  readonly instance: string
  /** An event that could not be written: what it was and why. */
  readonly onDropped: (event: ObjectEvent, reason: string) => void
}

/** Who tells, in the words of events.k8s.io. */
const controller = 'logcluster.dev/operator'
/** Above it the API server refuses the event. */
const noteBytesMax = 1024
/** Of events that wait to be written, while the API server is slow or away. */
const waitingMax = 1000

const events = namespaced<Stored>('events.k8s.io/v1', 'Event', 'events')

/** Writes events one after another, beside what happens and never in its way. */
export class EventRecorder implements Events {
  readonly #options: EventRecorderOptions
  readonly #series: EventSeries
  #waiting: Promise<void> = Promise.resolve()
  #waitingCount = 0

  constructor(options: EventRecorderOptions) {
    this.#options = options
    this.#series = new EventSeries(event => this.#newName(event))
  }

  tell(event: ObjectEvent): void {
    if (this.#waitingCount >= waitingMax) {
      this.#options.onDropped(event, 'too many events wait for the API server')
      return
    }
    const write = this.#series.tell(event, this.#options.clock.monotonic())
    if (write === null) return
    this.#waitingCount++
    this.#waiting = this.#waiting
      .then(() => this.#write(event, write))
      .finally(() => this.#waitingCount--)
  }

  /** Resolves when everything that was told is written or dropped. */
  flushed(): Promise<void> {
    return this.#waiting
  }

  async #write(event: ObjectEvent, write: EventWrite): Promise<void> {
    try {
      if (write.do === 'create') await this.#create(event, write.name)
      else await this.#count(event, write.name, write.count)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // An apply to an event that is gone (they live for an hour) is one that lacks all but its series.
      if (write.do === 'count' && isInvalid(error)) this.#series.forget(event)
      else this.#options.onDropped(event, error.message)
    }
  }

  async #create(event: ObjectEvent, name: string): Promise<void> {
    const { api, clock, instance } = this.#options
    const { regarding, related, type, reason, action, note } = event
    await api.create(events, {
      apiVersion: events.apiVersion,
      kind: events.kind,
      metadata: { namespace: namespaceOf(event), name },
      eventTime: microTime(clock.now()),
      type,
      reason,
      action,
      note: cut(note),
      reportingController: controller,
      reportingInstance: instance.slice(0, 128),
      regarding: referenceTo(regarding),
      ...(related === undefined ? {} : { related: referenceTo(related) }),
    } as Draft)
  }

  async #count(event: ObjectEvent, name: string, count: number): Promise<void> {
    const { api, clock } = this.#options
    await api.apply(events, {
      apiVersion: events.apiVersion,
      kind: events.kind,
      metadata: { namespace: namespaceOf(event), name },
      series: { count, lastObservedTime: microTime(clock.now()) },
    } as Draft)
  }

  /** Unique, and recognizable in a list. */
  #newName({ regarding }: ObjectEvent): string {
    const hex = Buffer.from(this.#options.random.bytes(8)).toString('hex')
    return `${regarding.metadata.name.slice(0, 200)}.${hex}`
  }
}

/** Events of objects without a namespace lie in `default`, by Kubernetes' convention. */
function namespaceOf({ regarding }: ObjectEvent): string {
  return regarding.metadata.namespace ?? 'default'
}

function referenceTo({ apiVersion, kind, metadata }: Stored): Record<string, unknown> {
  const { namespace, name, uid, resourceVersion } = metadata
  return { apiVersion, kind, namespace, name, uid, resourceVersion }
}

/** At most `noteBytesMax` bytes of UTF-8, with a sign where something is left out. */
function cut(note: string): string {
  if (Buffer.byteLength(note) <= noteBytesMax) return note
  const sign = '…'
  const bytes = Buffer.from(note).subarray(0, noteBytesMax - Buffer.byteLength(sign))
  // The cut may go through a character, whose rest decodes to a replacement.
  return bytes.toString('utf8').replace(/\uFFFD+$/, '') + sign
}
