import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readBatchHeader, encodeBatch, type BatchHeader } from '../batch/batch.ts'
import { ProducerStates, type ProducerCheck, type Undo } from './states.ts'

const options = { expirationMs: 1_000, countMax: 4 }
const sequenceMax = 0x7fff_ffff

interface Sent {
  readonly producerId?: number
  readonly epoch?: number
  readonly sequence?: number
  readonly count?: number
  readonly control?: boolean
}

function header({
  producerId = 7,
  epoch = 0,
  sequence = 0,
  count = 1,
  control = false,
}: Sent): BatchHeader {
  const payload = { codec: 0, bytes: new Uint8Array(count), count }
  const ids = { producerId, producerEpoch: epoch, baseSequence: sequence }
  return readBatchHeader(encodeBatch({ records: payload, control, baseTimestamp: 99, ...ids }), 0)
}

/** A partition with its end offset: appends what the check allows. */
function partition(states = new ProducerStates(options)) {
  let endOffset = 0
  let nowMs = 0
  return {
    states,
    send(sent: Sent): string {
      const batch = header(sent)
      const checked = states.check(batch, 'client')
      if (checked.kind === 'refused') return checked.error
      if (checked.kind === 'duplicate')
        return `duplicate of ${checked.baseOffset}-${checked.lastOffset}`
      states.apply(batch, endOffset, nowMs)
      endOffset += batch.lastOffsetDelta + 1
      return 'append'
    },
    wait(ms: number) {
      nowMs += ms
      return states.expire(nowMs)
    },
  }
}

test('limits that were lowered hold at the next expiry', () => {
  const t = partition()
  for (const producerId of [1, 2, 3, 4]) t.send({ producerId })
  t.states.configure({ expirationMs: 1_000, countMax: 3 })
  expect([t.wait(500), t.states.size, t.states.evictedCount]).toEqual([1, 3, 1])
  expect(t.states.stateOf(1)).toBe(undefined)
  t.states.configure({ expirationMs: 400, countMax: 3 })
  expect([t.wait(0), t.states.size, t.states.evictedCount]).toEqual([3, 0, 1])
})

describe('sequences of one producer (G22)', () => {
  test('follow each other without a gap', () => {
    const t = partition()
    expect(t.send({ sequence: 0, count: 3 })).toBe('append')
    expect(t.send({ sequence: 3 })).toBe('append')
    expect(t.send({ sequence: 5 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(t.send({ sequence: 4 })).toBe('append')
  })

  test('go from 2^31-1 to 0, within a batch and between batches', () => {
    const within = partition()
    expect(within.send({ sequence: sequenceMax - 1, count: 4 })).toBe('append')
    expect(within.send({ sequence: 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(within.send({ sequence: sequenceMax - 1, count: 4 })).toBe('duplicate of 0-3')
    expect(within.send({ sequence: 2 })).toBe('append')
    const between = partition()
    expect(between.send({ sequence: sequenceMax })).toBe('append')
    expect(between.send({ sequence: 0 })).toBe('append')
  })

  test('start anywhere where nothing is known', () => {
    expect(partition().send({ sequence: 4711 })).toBe('append')
    expect(partition().send({ sequence: 4711, epoch: 3 })).toBe('append')
  })

  test('start at 0 in a new epoch, and an old epoch is refused', () => {
    const t = partition()
    t.send({ sequence: 0, count: 5 })
    expect(t.send({ sequence: 5, epoch: 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(t.send({ sequence: 0, epoch: 1 })).toBe('append')
    expect(t.send({ sequence: 5, epoch: 0 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(t.send({ sequence: 0, epoch: 0, count: 5 })).toBe('INVALID_PRODUCER_EPOCH')
    expect(t.send({ sequence: 1, epoch: 1 })).toBe('append')
  })

  test('have an epoch: without, who is known is old, and who is not is wrong', () => {
    const t = partition()
    expect(t.send({ sequence: 0, epoch: -1 })).toBe('INVALID_RECORD')
    expect(t.send({ sequence: 0, epoch: 0 })).toBe('append')
    expect(t.send({ sequence: 0, epoch: -1 })).toBe('INVALID_PRODUCER_EPOCH')
  })

  test('start at 0 after a control batch of a new epoch', () => {
    const t = partition()
    t.send({ sequence: 0, count: 5 })
    t.states.apply(header({ epoch: 1, sequence: -1, control: true }), 5, 0)
    expect(t.send({ sequence: 5, epoch: 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(t.send({ sequence: 0, epoch: 1 })).toBe('append')
  })

  test('are not asked of batches without a producer id, of replicas and of coordinators', () => {
    const t = partition()
    t.send({ sequence: 0 })
    expect(t.send({ producerId: -1, sequence: -1, epoch: -1 })).toBe('append')
    expect(t.states.size).toBe(1)
    const odd = header({ sequence: 77 })
    expect(t.states.check(odd, 'client').kind).toBe('refused')
    expect(t.states.check(odd, 'replica').kind).toBe('append')
    expect(t.states.check(odd, 'coordinator').kind).toBe('append')
  })
})

describe('duplicates (G21)', () => {
  test('of the last five batches are known by both sequences', () => {
    const t = partition()
    for (let batch = 0; batch < 6; batch++) t.send({ sequence: batch * 2, count: 2 })
    expect(t.send({ sequence: 0, count: 2 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    for (let batch = 1; batch < 6; batch++) {
      const offsets = `${batch * 2}-${batch * 2 + 1}`
      expect(t.send({ sequence: batch * 2, count: 2 })).toBe(`duplicate of ${offsets}`)
    }
    expect(t.send({ sequence: 10, count: 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(t.send({ sequence: 11, count: 1 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('carry the timestamp of the original', () => {
    const t = partition()
    t.send({ sequence: 0 })
    expect(t.states.check(header({ sequence: 0 }), 'client')).toMatchObject({ timestampMs: 99 })
  })
})

describe('forgetting (G23)', () => {
  test('takes who appended nothing for the expiration time', () => {
    const t = partition()
    t.send({ producerId: 1, sequence: 0 })
    t.wait(600)
    t.send({ producerId: 2, sequence: 0 })
    expect(t.wait(399)).toBe(0)
    expect(t.wait(1)).toBe(1)
    expect(t.send({ producerId: 1, sequence: 900 })).toBe('append')
    expect(t.send({ producerId: 2, sequence: 900 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  test('takes the longest idle where there are too many, and counts it', () => {
    const t = partition()
    for (const producerId of [1, 2, 3, 4]) t.send({ producerId })
    t.send({ producerId: 1, sequence: 1 })
    t.send({ producerId: 5 })
    expect(t.states.stateOf(2)).toBeUndefined()
    expect([...t.states.states()].map(state => state.producerId)).toEqual([3, 4, 1, 5])
    expect(t.states.evictedCount).toBe(1)
  })
})

describe('undo', () => {
  test('takes back a new producer and the one evicted for it', () => {
    const t = partition()
    for (const producerId of [1, 2, 3, 4]) t.send({ producerId })
    const before = t.states.encode()
    const undo = t.states.apply(header({ producerId: 5 }), 4, 0)
    t.states.undo(undo)
    expect(t.states.encode()).toEqual(before)
    expect(t.states.evictedCount).toBe(0)
  })

  test('out of order is a broken invariant', () => {
    const t = partition()
    const first = t.states.apply(header({ sequence: 0 }), 0, 0)
    t.states.apply(header({ sequence: 1 }), 1, 0)
    expect(() => t.states.undo(first)).toThrow('reverse order')
  })

  test('stands a neighbour that expired meanwhile', () => {
    const t = partition()
    t.send({ producerId: 1 })
    t.send({ producerId: 2 })
    const undo = t.states.apply(header({ producerId: 1, sequence: 1 }), 2, 900)
    expect(t.states.expire(1_000)).toBe(1)
    t.states.undo(undo)
    expect([...t.states.states()].map(state => state.producerId)).toEqual([1])
    expect(t.send({ producerId: 1, sequence: 1 })).toBe('append')
  })
})

const someSent = fc.record({
  producerId: fc.integer({ min: 0, max: 6 }),
  epoch: fc.integer({ min: 0, max: 2 }),
  sequence: fc.constantFrom(0, 1, 2, 3, 4, sequenceMax - 1, sequenceMax),
  count: fc.integer({ min: 1, max: 3 }),
  control: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
})

/** Mostly what a good client would send next, else anything. */
const someStep = fc.record({
  sent: someSent,
  isNext: fc.boolean(),
  origin: fc.constantFrom('client' as const, 'client' as const, 'replica' as const),
  afterMs: fc.constantFrom(0, 0, 1, 400, 1_000),
})

/** The rules again, as slowly and plainly as they can be written. */
class Model {
  batches: {
    id: number
    epoch: number
    first: number
    count: number
    base: number
    atMs: number
    control: boolean
  }[] = []

  live(nowMs: number): number[] {
    const lately = new Map<number, number>()
    for (const { id, atMs } of this.batches) {
      lately.delete(id)
      lately.set(id, atMs)
    }
    return [...lately].filter(([, atMs]) => nowMs - atMs < options.expirationMs).map(([id]) => id)
  }

  check(batch: BatchHeader): string {
    const own = this.batches.filter(({ id }) => id === batch.producerId)
    const epoch = own.at(-1)?.epoch
    if (epoch === undefined) return 'append'
    if (batch.producerEpoch < epoch) return 'INVALID_PRODUCER_EPOCH'
    if (batch.producerEpoch > epoch)
      return batch.baseSequence === 0 ? 'append' : 'OUT_OF_ORDER_SEQUENCE_NUMBER'
    const since = own.findLastIndex(one => one.epoch !== epoch) + 1
    const window = own
      .slice(since)
      .filter(({ control }) => !control)
      .slice(-5)
    const twin = window.find(
      ({ first, count }) => first === batch.baseSequence && count === batch.count,
    )
    if (twin) return `duplicate of ${twin.base}`
    const last = window.at(-1)
    const next = last === undefined ? 0 : (last.first + last.count) % 2 ** 31
    return batch.baseSequence === next ? 'append' : 'OUT_OF_ORDER_SEQUENCE_NUMBER'
  }

  append(batch: BatchHeader, base: number, atMs: number, control: boolean): void {
    const { producerId: id, producerEpoch: epoch, baseSequence: first, count } = batch
    const known = this.live(-Infinity)
    if (!known.includes(id) && known.length === options.countMax) this.forget(known[0]!)
    this.batches.push({ id, epoch, first, count, base, atMs, control })
  }

  forget(id: number): void {
    this.batches = this.batches.filter(one => one.id !== id)
  }
}

describe('as a whole', () => {
  test('agrees with the plain model, step by step', () => {
    fc.assert(
      fc.property(fc.array(someStep, { maxLength: 60 }), steps => {
        const states = new ProducerStates(options)
        const model = new Model()
        let nowMs = 0
        let endOffset = 0
        for (const { sent, isNext, origin, afterMs } of steps) {
          nowMs += afterMs
          for (const id of model.live(-Infinity))
            if (!model.live(nowMs).includes(id)) model.forget(id)
          states.expire(nowMs)
          const own = states.stateOf(sent.producerId)
          const last = own?.batches.at(-1)
          const next = last
            ? (last.firstSequence + last.lastOffsetDelta + 1) % 2 ** 31
            : sent.sequence
          const batch = header(isNext && own ? { ...sent, epoch: own.epoch, sequence: next } : sent)
          const checked = states.check(batch, origin)
          if (origin === 'client') expect(verdictOf(checked)).toBe(model.check(batch))
          else expect(checked.kind).toBe('append')
          if (checked.kind !== 'append') continue
          states.apply(batch, endOffset, nowMs)
          model.append(batch, endOffset, nowMs, sent.control)
          endOffset += sent.count
          expect([...states.states()].map(state => state.producerId)).toEqual(model.live(nowMs))
        }
      }),
      { numRuns: 400 },
    )
  })

  test('undo restores exactly, however much is undone', () => {
    fc.assert(
      fc.property(fc.array(someSent, { maxLength: 30 }), fc.nat({ max: 30 }), (sent, undone) => {
        const states = new ProducerStates(options)
        const kept = sent.slice(0, Math.max(0, sent.length - undone))
        kept.forEach((one, at) => states.apply(header(one), at, at))
        const before = states.encode()
        const evicted = states.evictedCount
        const undos: Undo[] = []
        for (const one of sent.slice(kept.length))
          undos.push(states.apply(header(one), 1_000, 1_000))
        for (const undo of undos.reverse()) states.undo(undo)
        expect(states.encode()).toEqual(before)
        expect([states.size, states.evictedCount]).toEqual([new Set(states.states()).size, evicted])
      }),
    )
  })
})

describe('snapshots', () => {
  const filled = (sent: readonly Sent[]) => {
    const states = new ProducerStates(options)
    sent.forEach((one, at) => states.apply(header(one), at * 3, at))
    return states
  }

  test('come back as they were', () => {
    fc.assert(
      fc.property(fc.array(someSent, { maxLength: 30 }), sent => {
        const states = filled(sent)
        const back = ProducerStates.decode(states.encode(), options)
        expect(back?.equals(states)).toBe(true)
        expect(back?.encode()).toEqual(states.encode())
        expect(back?.expire(1e9)).toBe(states.size)
      }),
    )
  })

  test('with one bit flipped, cut or lengthened are not believed', () => {
    const bytes = filled([
      { producerId: 1 },
      { producerId: 2, count: 3 },
      { producerId: 1, sequence: 1 },
    ]).encode()
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const bad = bytes.slice()
      bad[bit >> 3]! ^= 1 << (bit & 7)
      expect(ProducerStates.decode(bad, options)).toBeNull()
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(ProducerStates.decode(bytes.subarray(0, length), options)).toBeNull()
    }
    expect(ProducerStates.decode(new Uint8Array([...bytes, 0]), options)).toBeNull()
  })

  test('with a right CRC around nonsense are not believed, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), noise => {
        const bytes = new Uint8Array([0x4c, 0x43, 0x50, 0x53, 0, 1, 0, 0, 0, 0, ...noise])
        const back = ProducerStates.decode(bytes, options, () => 0)
        if (back !== null) expect(back.encode(() => 0)).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })

  test('larger than the limit keep who appended last', () => {
    const bytes = filled([1, 2, 3, 4].map(producerId => ({ producerId }))).encode()
    const back = ProducerStates.decode(bytes, { ...options, countMax: 2 })
    expect([...back!.states()].map(state => state.producerId)).toEqual([3, 4])
  })

  test('differ where a batch differs, not where only the time of append does', () => {
    const states = filled([{ producerId: 1 }])
    const later = new ProducerStates(options)
    later.apply(header({ producerId: 1 }), 0, 12_345)
    expect(states.equals(later)).toBe(true)
    later.apply(header({ producerId: 1, sequence: 1 }), 1, 12_345)
    expect(states.equals(later)).toBe(false)
  })
})

function verdictOf(check: ProducerCheck): string {
  if (check.kind === 'refused') return check.error
  return check.kind === 'duplicate' ? `duplicate of ${check.baseOffset}` : 'append'
}
