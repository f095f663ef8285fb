import { assert, present } from '../../lib/assert.ts'

/**
 * Who had a job so lately counts as there, with or without one: a consumer asks again when it has what it was sent. In
 * milliseconds.
 * @internal
 */
export const presenceMs = 250
/** The most that somebody who is there can be owed, in bytes. Who asks for little is owed nothing for the rest. */
const creditBytes = 4 * 1024 * 1024
/** Shares that are remembered, whoever they belong to; beyond that those that are not there are forgotten. */
const sharesMax = 64

/** Somebody among whom is shared: a share among all shares, a connection among those of its share. */
interface Party {
  /** Bytes that it was given, raised to those of the others where it did not ask for as many. */
  served: number
  /** Jobs that wait or run. */
  jobs: number
  /** When it last had one, by the monotonic clock. */
  lastMs: number
}

interface Seat extends Party {
  readonly connection: number
  readonly share: Share
  state: 'away' | 'waiting' | 'running'
  /** What its job was said to take, and how many came before it. */
  bytes: number
  number: number
}

interface Share extends Party {
  readonly seats: Map<number, Seat>
  running: number
  /** Most jobs that it had at once while it was there. */
  width: number
}

export interface ColdJob {
  readonly connection: number
  /** Names whom the connection reads for: all that have the same have one share together. */
  readonly share: string
  /** The most that it will send. */
  readonly bytes: number
}

/**
 * Whose cold job goes to a disk next, as a state machine; a job is what one connection sends by one thread. No more
 * than `jobsMax` are at the disk at once. Shares that are there together get as many bytes each, as far as they ask for
 * them, and so do the connections of one share: who was given least goes next. And since a disk gives most to whom most
 * jobs are there for, no share has more of them there than the one with the fewest could have.
 */
export class ColdLane {
  readonly #jobsMax: number
  readonly #shares = new Map<string, Share>()
  /** By connection, as long as it has a job or may have one again. */
  readonly #seats = new Map<number, Seat>()
  #running = 0
  #jobCount = 0

  constructor(jobsMax: number) {
    assert(jobsMax >= 1, 'a disk takes a job at a time')
    this.#jobsMax = jobsMax
  }

  /** Jobs at the disk. Invariant: `running` <= `jobsMax`. */
  get running(): number {
    return this.#running
  }

  /** A job waits for its turn. A connection has one at a time. */
  wait({ connection, share: key, bytes }: ColdJob, nowMs: number): void {
    const share = this.#shareOf(key, nowMs)
    const seat = this.#seatOf(connection, share)
    assert(seat.state === 'away', 'a connection has one cold job at a time')
    if (!isThere(share, nowMs)) share.width = 0
    arrive(share, this.#shares.values(), nowMs)
    arrive(seat, share.seats.values(), nowMs)
    seat.state = 'waiting'
    seat.bytes = bytes
    seat.number = this.#jobCount++
    share.width = Math.max(share.width, share.jobs)
  }

  /** The connections whose jobs go to the disk now: their turn has come, and there is room. */
  start(nowMs: number): number[] {
    const started: number[] = []
    while (this.#running < this.#jobsMax) {
      const seat = this.#next(nowMs)
      if (seat === null) break
      seat.state = 'running'
      seat.share.running++
      this.#running++
      charge(seat, seat.bytes)
      started.push(seat.connection)
    }
    return started
  }

  /** A running job ended, after it had sent `bytes`. */
  end(connection: number, bytes: number, nowMs: number): void {
    const seat = present(this.#seats.get(connection), 'whoever ends a job has one')
    assert(seat.state === 'running', 'a job that ends has begun')
    charge(seat, bytes - seat.bytes)
    this.#free(seat, nowMs)
  }

  /** The connection is closed, be its job waiting, running or over. */
  leave(connection: number, nowMs: number): void {
    const seat = this.#seats.get(connection)
    if (seat === undefined) return
    if (seat.state !== 'away') this.#free(seat, nowMs)
    this.#seats.delete(connection)
    seat.share.seats.delete(connection)
  }

  #free(seat: Seat, nowMs: number): void {
    const { share } = seat
    if (seat.state === 'running') {
      share.running--
      this.#running--
    }
    seat.state = 'away'
    for (const party of [seat, share]) {
      party.jobs--
      party.lastMs = nowMs
    }
  }

  /** Of the share that was given least, the connection that was given least; of equals who came first. */
  #next(nowMs: number): Seat | null {
    const widthMax = this.#widthMax(nowMs)
    let next: Seat | null = null
    for (const share of this.#shares.values()) {
      if (share.jobs === share.running || share.running >= widthMax) continue
      if (next !== null && share.served > next.share.served) continue
      for (const seat of share.seats.values()) {
        if (seat.state === 'waiting' && (next === null || isBefore(seat, next))) next = seat
      }
    }
    return next
  }

  /** Jobs that one share may have at the disk. */
  #widthMax(nowMs: number): number {
    let count = 0
    let least = this.#jobsMax
    for (const share of this.#shares.values()) {
      if (!isThere(share, nowMs)) continue
      count++
      least = Math.min(least, share.width)
    }
    return count <= 1
      ? this.#jobsMax
      : Math.max(1, Math.min(least, Math.floor(this.#jobsMax / count)))
  }

  #shareOf(key: string, nowMs: number): Share {
    const known = this.#shares.get(key)
    if (known !== undefined) return known
    if (this.#shares.size >= sharesMax) this.#forgetAbsent(nowMs)
    const share: Share = { ...newParty(), seats: new Map(), running: 0, width: 0 }
    this.#shares.set(key, share)
    return share
  }

  #seatOf(connection: number, share: Share): Seat {
    const known = this.#seats.get(connection)
    if (known?.share === share) return known
    if (known !== undefined) {
      assert(known.state === 'away', 'a connection has one cold job at a time')
      known.share.seats.delete(connection)
    }
    const seat: Seat = { ...newParty(), connection, share, state: 'away', bytes: 0, number: 0 }
    this.#seats.set(connection, seat)
    share.seats.set(connection, seat)
    return seat
  }

  #forgetAbsent(nowMs: number): void {
    for (const [key, share] of this.#shares) {
      if (isThere(share, nowMs)) continue
      this.#shares.delete(key)
      for (const connection of share.seats.keys()) this.#seats.delete(connection)
    }
  }
}

function newParty(): Party {
  return { served: 0, jobs: 0, lastMs: -Infinity }
}

function isThere({ jobs, lastMs }: Party, nowMs: number): boolean {
  return jobs > 0 || nowMs - lastMs < presenceMs
}

/** It has one job more: and is level with the others, or behind them by no more than a credit if it was there. */
function arrive(party: Party, all: Iterable<Party>, nowMs: number): void {
  let least = Infinity
  for (const other of all) {
    if (other !== party && isThere(other, nowMs)) least = Math.min(least, other.served)
  }
  const owed = isThere(party, nowMs) ? creditBytes : 0
  if (least < Infinity) party.served = Math.max(party.served, least - owed)
  party.jobs++
  party.lastMs = nowMs
}

function isBefore(one: Seat, other: Seat): boolean {
  if (one.share !== other.share && one.share.served !== other.share.served)
    return one.share.served < other.share.served
  if (one.share === other.share && one.served !== other.served) return one.served < other.served
  return one.number < other.number
}

function charge(seat: Seat, bytes: number): void {
  seat.served += bytes
  seat.share.served += bytes
}
