import { assert, unreachable } from '../../../lib/assert.ts'
import type { Uuid } from '../../../lib/uuid.ts'
import type { MetadataImage } from '../../metadata/image.ts'
import {
  batchOverheadBytes,
  encodeRecord,
  featureLevel,
  joinBatch,
  type MetadataRecord,
} from '../../metadata/records.ts'
import type { Command, Refusal } from './commands.ts'
import { decide, type DecisionRules, inEarnest, isTrial } from './decide.ts'
import type { Decision } from './decision.ts'
import { type Answered, type Batch, Draft, encodedRecords } from './draft.ts'
import { brokerDuties, dueFeatureLevel, type Duty, recordsOfDuty } from './duties.ts'
import type { ControllerEffect, ControllerEvent } from './events.ts'
import { growthRefusal, type StoreRoom } from './growth.ts'
import { applied } from './partition-changes.ts'
import { mayBeSplit, partsOf, type Part } from './parts.ts'
import {
  notController,
  overloaded,
  queuedCommandCountMax,
  tooLarge,
  waitedTooLong,
} from './refusals.ts'
import { Sessions } from './sessions.ts'

export type { ControllerEffect, ControllerEvent } from './events.ts'

export interface ControllerOptions {
  readonly brokerId: number
  /** Fresh ones, of this start. `clusterId` serves at genesis only. */
  readonly claimId: Uuid
  readonly clusterId: Uuid
  /** What the store holds. */
  readonly image: MetadataImage
  readonly nextSequence: number
  readonly snapshotSequence: number
  /** Appends from one snapshot to the next. */
  readonly snapshotIntervalMax: number
  /** Appends after a snapshot that there may be at all. Default: any number. */
  readonly unsnapshottedMax?: number
  /** Bytes of one append. */
  readonly payloadBytesMax: number
  /** Ids of one producer-id block. Default `producerIdBlockCount`. */
  readonly producerIdBlockCount?: number
  /** Of the store, as it is now; events tell how `usedBytes` moves. Default: no limit. */
  readonly room?: StoreRoom
  readonly rules: DecisionRules
  /** A broker that is not heard of for so long is fenced. Default 6,000. */
  readonly brokerSessionMs?: number
  /** Between two rounds that give leaders back to the first replicas; Infinity: never. Default 300,000. */
  readonly leaderBalanceIntervalMs?: number
  /** Of the log's record of that sequence, as far as the shell knows it; null where it does not. */
  readonly hashAt?: (sequence: number) => string | null
}

/** Bytes of records after which a batch is closed. One command alone may be larger, up to what an append holds; then it is split. */
const batchBytesMax = 131_072

/**
 * The front door of the room: the cluster's decisions, as a state machine without I/O, events in, effects out.
 *
 * One operation on the store is in flight at a time. Commands that come meanwhile wait, and are then decided
 * together, each upon what those before it leave, and appended as one batch. Nothing is answered before the
 * batch with its consequences is committed; while an append's outcome is unknown, nothing moves at all.
 */
export class Controller {
  readonly #options: ControllerOptions
  #state: 'new' | 'claiming' | 'active' | 'stopped' | 'resigned' = 'new'
  /** Everything committed, and nothing else. */
  #image: MetadataImage
  #nextSequence: number
  #epoch: number
  #inFlight: Batch | 'snapshot' | null = null
  #snapshotSequence: number
  #snapshotDueAt: number
  #room: StoreRoom
  /** What is still to be appended of a command that was split; the last one carries its answer. */
  readonly #parts: (Part & { readonly answers: readonly Answered[] })[] = []
  readonly #sessions: Sessions
  #nowMs: number | null = null
  #balanceDueAtMs = Infinity
  /** What the controller before may have left undone is done. */
  #isTidy = false
  readonly #queue: { readonly id: number; readonly command: Command }[] = []
  #effects: ControllerEffect[] = []

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#image = options.image
    this.#nextSequence = options.nextSequence
    this.#epoch = options.image.controllerEpoch + 1
    this.#snapshotSequence = options.snapshotSequence
    this.#snapshotDueAt = options.snapshotSequence + options.snapshotIntervalMax
    this.#room = options.room ?? { usedBytes: 0, bytesMax: Infinity }
    this.#sessions = new Sessions(options.brokerSessionMs ?? 6_000, options.nextSequence)
  }

  /** Everything committed. */
  get image(): MetadataImage {
    return this.#image
  }

  /** True while an operation on the store has no certain outcome. */
  get isBusy(): boolean {
    return this.#inFlight !== null
  }

  step(event: ControllerEvent): ControllerEffect[] {
    switch (event.type) {
      case 'started':
        this.#claim()
        break
      case 'commanded':
        this.#commanded(event.id, event.command)
        break
      case 'tick':
        this.#tick(event.nowMs)
        break
      case 'connectionReset':
        this.#sessions.connectionReset(this.#image, event.brokerId)
        break
      case 'foundSilent':
        this.#sessions.foundSilent(event)
        break
      case 'withdrawn':
        this.#withdrawn(event.id)
        break
      case 'committed':
        this.#used(event.usedBytes)
        this.#committed(event.nextSequence)
        break
      case 'unavailable':
        assert(this.#batchInFlight() !== null, 'an append is in flight')
        this.#effects.push({ type: 'wait' })
        break
      case 'waited':
        this.#tryAgain()
        break
      case 'snapshotWritten':
        this.#used(event.usedBytes)
        this.#snapshotSequence = event.nextSequence - 1
        this.#snapshotEnded(event.nextSequence, this.#options.snapshotIntervalMax)
        break
      case 'snapshotUnavailable':
        this.#snapshotUnavailable()
        break
      case 'snapshotUnknown':
        assert(this.#inFlight === 'snapshot', 'a snapshot is in flight')
        this.#effects.push({ type: 'wait' })
        break
      case 'lost':
        this.#resign()
        break
      case 'stopped':
        this.#stop()
        break
      default:
        unreachable(event)
    }
    this.#workNext()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #claim(): void {
    assert(this.#state === 'new', 'a controller is started once')
    this.#state = 'claiming'
    const { brokerId, claimId, clusterId } = this.#options
    const records: MetadataRecord[] = []
    if (!this.#image.isCreated) records.push({ type: 'clusterCreated', clusterId })
    records.push({ type: 'epochClaimed', epoch: this.#epoch, brokerId, claimId })
    const image = this.#image.applyBatch(this.#nextSequence, records)
    this.#append({ payload: joinBatch(records.map(encodeRecord)), records, image, answers: [] })
  }

  #commanded(id: number, command: Command): void {
    if (this.#state === 'stopped' || this.#state === 'resigned')
      return this.#refuse(id, notController)
    if (command.type === 'heartbeat' || command.type === 'describeQuorum')
      return this.#tell(id, command)
    if (this.#queue.length >= queuedCommandCountMax) return this.#refuse(id, overloaded)
    this.#queue.push({ id, command })
  }

  /** What is answered at once, from what is committed. */
  #tell(id: number, command: Command & { type: 'heartbeat' | 'describeQuorum' }): void {
    if (this.#state !== 'active') return this.#refuse(id, notController)
    const answer =
      command.type === 'heartbeat'
        ? this.#sessions.heard(this.#image, command)
        : this.#sessions.describe(this.#image)
    this.#effects.push({ type: 'answer', id, answer })
  }

  #tick(nowMs: number): void {
    this.#sessions.tick(nowMs)
    this.#nowMs = nowMs
    if (this.#balanceDueAtMs === Infinity) this.#balanceDueAtMs = this.#nextBalanceMs()
  }

  #nextBalanceMs(): number {
    return this.#nowMs! + (this.#options.leaderBalanceIntervalMs ?? 300_000)
  }

  /** What was not decided yet never will be; what is in flight goes on. */
  #withdrawn(id: number): void {
    const at = this.#queue.findIndex(waiting => waiting.id === id)
    if (at < 0) return
    this.#queue.splice(at, 1)
    this.#refuse(id, waitedTooLong)
  }

  #committed(nextSequence: number): void {
    const batch = this.#batchInFlight()
    assert(batch !== null, 'an append is in flight')
    assert(nextSequence > this.#nextSequence, 'the log grows')
    this.#inFlight = null
    this.#nextSequence = nextSequence
    this.#image = batch.image
    if (this.#state === 'claiming') this.#state = 'active'
    this.#sessions.committed(batch.image, batch.records)
    this.#effects.push({ type: 'publish', image: batch.image, records: batch.records })
    for (const { id, answer } of batch.answers) this.#effects.push({ type: 'answer', id, answer })
  }

  #tryAgain(): void {
    const batch = this.#batchInFlight()
    if (batch !== null) this.#append(batch)
    else if (this.#inFlight === 'snapshot') this.#snapshot()
  }

  #snapshot(): void {
    this.#inFlight = 'snapshot'
    this.#effects.push({ type: 'snapshot', epoch: this.#epoch, image: this.#image })
  }

  /** Put off, or, where the store takes nothing else before it, tried until it is there. */
  #snapshotUnavailable(): void {
    const { snapshotIntervalMax, unsnapshottedMax = Infinity } = this.#options
    const appended = this.#nextSequence - 1 - this.#snapshotSequence
    if (appended >= unsnapshottedMax) this.#effects.push({ type: 'wait' })
    else this.#snapshotEnded(this.#nextSequence, Math.ceil(snapshotIntervalMax / 8))
  }

  #used(usedBytes = this.#room.usedBytes): void {
    this.#room = { ...this.#room, usedBytes }
  }

  #snapshotEnded(nextSequence: number, dueAfter: number): void {
    assert(this.#inFlight === 'snapshot', 'a snapshot is in flight')
    this.#inFlight = null
    this.#nextSequence = nextSequence
    this.#snapshotDueAt = nextSequence - 1 + dueAfter
  }

  /** `lost` is certain: nothing of the batch in flight became part of the log. */
  #resign(): void {
    const batch = this.#batchInFlight()
    this.#inFlight = null
    this.#state = 'resigned'
    const unanswered = [batch, ...this.#parts.splice(0)].flatMap(each => each?.answers ?? [])
    for (const { id } of unanswered) this.#refuse(id, notController)
    this.#refuseQueue()
    this.#effects.push({ type: 'resign' })
  }

  /** What is in flight is still answered, if its outcome comes. */
  #stop(): void {
    if (this.#state !== 'resigned') this.#state = 'stopped'
    this.#refuseQueue()
  }

  /** One operation at a time: the snapshot that is due, or the next batch of commands. */
  #workNext(): void {
    if (this.#state !== 'active' || this.#inFlight !== null) return
    if (this.#nextSequence - 1 >= this.#snapshotDueAt) {
      return this.#snapshot()
    }
    const batch = this.#nextPart() ?? this.#decideBatch() ?? this.#nextPart()
    if (batch !== null) this.#append(batch)
  }

  #nextPart(): Batch | null {
    const part = this.#parts.shift()
    if (part === undefined) return null
    const { records, encoded, answers } = part
    const image = this.#image.applyBatch(this.#nextSequence, records)
    return { payload: joinBatch(encoded), records, image, answers }
  }

  /** Decides what is due and commands from the queue; answers at once where no record comes of them. */
  #decideBatch(): Batch | null {
    const bytesMax = Math.min(batchBytesMax, this.#options.payloadBytesMax)
    const draft = new Draft(this.#image.at(this.#nextSequence), bytesMax)
    if (this.#performDuties(draft)) this.#decideCommands(draft)
    const batch = draft.batch()
    if (batch !== null) return batch
    for (const { id, answer } of draft.answers) this.#effects.push({ type: 'answer', id, answer })
    return null
  }

  /** False where something is still to be done when the draft is committed. */
  #performDuties(draft: Draft): boolean {
    for (const duty of this.#duties(draft.image)) {
      const encoded = encodedRecords(recordsOfDuty(draft.image, duty))
      if (!draft.hasRoomFor(encoded)) return false
      if (encoded.bytes + batchOverheadBytes > this.#options.payloadBytesMax) {
        this.#split(this.#partsOf(encoded.records) ?? [], [])
        return false
      }
      draft.add(encoded, applied(draft.image, encoded.records))
      if (duty.type === 'tidy') this.#isTidy = true
      if (duty.type === 'balance') this.#balanceDueAtMs = this.#nextBalanceMs()
    }
    return true
  }

  #decideCommands(draft: Draft): void {
    const { payloadBytesMax } = this.#options
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const { id, command } = next
      const { records, image, answer } = this.#decide(draft.image, inEarnest(command))
      const encoded = encodedRecords(records)
      const isTooLarge = encoded.bytes + batchOverheadBytes > payloadBytesMax
      if (!draft.hasRoomFor(encoded)) return
      const parts = isTooLarge && mayBeSplit(command) ? this.#partsOf(records) : null
      this.#queue.shift()
      const refusal = growthRefusal(records, draft.bytes + encoded.bytes, this.#room)
      if (refusal !== null) {
        // What was deleted since the last snapshot counts as there before the next one.
        this.#snapshotDueAt = Math.min(this.#snapshotDueAt, this.#snapshotSequence + 1)
        draft.answer({ id, answer: refusal })
      } else if (isTooLarge && parts === null) {
        draft.answer({ id, answer: tooLarge(encoded.bytes, payloadBytesMax) })
      } else if (isTrial(command)) {
        draft.answer({ id, answer: this.#decide(draft.image, command).answer })
      } else if (parts !== null) {
        return this.#split(parts, [{ id, answer }])
      } else {
        draft.answer({ id, answer })
        draft.add(encoded, image)
      }
    }
  }

  #duties(image: MetadataImage): Duty[] {
    if (image.quarantine !== null) return []
    const duties: Duty[] = this.#isTidy ? [] : [{ type: 'tidy' }]
    duties.push(...brokerDuties(this.#sessions.duties(image)))
    const level = dueFeatureLevel(image, featureLevel)
    if (level !== null) duties.push({ type: 'raiseFeatureLevel', level })
    const nowMs = this.#nowMs
    if (nowMs !== null && nowMs >= this.#balanceDueAtMs) duties.push({ type: 'balance' })
    return duties
  }

  /** null where it cannot be split. */
  #partsOf(records: readonly MetadataRecord[]): Part[] | null {
    const recordBytesMax = this.#options.payloadBytesMax
    return partsOf(records, { bytesMax: Math.min(batchBytesMax, recordBytesMax), recordBytesMax })
  }

  #split(parts: readonly Part[], answers: readonly Answered[]): void {
    for (const [at, part] of parts.entries()) {
      this.#parts.push({ ...part, answers: at === parts.length - 1 ? answers : [] })
    }
  }

  #decide(image: MetadataImage, command: Command): Decision {
    const { rules, producerIdBlockCount, hashAt = () => null } = this.#options
    const sequence = this.#nextSequence
    const sessions = this.#sessions
    return decide(image, command, { rules, sequence, producerIdBlockCount, sessions, hashAt })
  }

  #append(batch: Batch): void {
    this.#inFlight = batch
    this.#effects.push({ type: 'append', epoch: this.#epoch, payload: batch.payload })
  }

  #batchInFlight(): Batch | null {
    return this.#inFlight === 'snapshot' ? null : this.#inFlight
  }

  #refuseQueue(): void {
    for (const { id } of this.#queue.splice(0)) this.#refuse(id, notController)
  }

  #refuse(id: number, answer: Refusal): void {
    this.#effects.push({ type: 'answer', id, answer })
  }
}
