import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answered, GroupWorld, offset } from '../../../../test/helpers/group-world.ts'
import type { JoinAnswer } from './events.ts'

/** Short ones, and the longest that a request can name. */
const timeoutMs = fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.constant(2 ** 31 - 1))
const config = { sessionTimeoutMsMin: 1, sessionTimeoutMsMax: 2 ** 31 - 1 }

test('sessions: in whatever order members come and are heard of, each ends at its own time', () => {
  const step = fc.record({ at: fc.nat({ max: 3 }), isHeard: fc.boolean(), thenMs: fc.nat(900) })
  const sessions = fc.array(timeoutMs, { minLength: 4, maxLength: 4 })
  fc.assert(
    fc.property(sessions, fc.array(step), (sessionTimeouts, steps) => {
      const world = new GroupWorld(config)
      const groups = sessionTimeouts.map((_, at) => `group-${at}`)
      const endsMs = groups.map(() => Infinity)
      const joined: (JoinAnswer | null)[] = groups.map(() => null)
      for (const { at, isHeard, thenMs } of steps) {
        const group = groups[at]!
        const sessionTimeoutMs = sessionTimeouts[at]!
        const member = joined[at]
        if (member === null || member === undefined) {
          const wish = { sessionTimeoutMs, rebalanceTimeoutMs: sessionTimeoutMs }
          const call = world.join({ ...wish, freshMemberId: `m${at}` }, group)
          world.advance(0)
          joined[at] = answered(call)
          const { memberId, generation } = joined[at]
          const claim = { memberId, generation, instanceId: null }
          const sync = {
            memberId,
            generation,
            instanceId: null,
            protocolType: null,
            protocol: null,
          }
          const assignments = [{ memberId, assignment: Uint8Array.of(1) }]
          world.ask({ type: 'sync', groupId: group, wish: { ...sync, assignments } })
          world.ask({ type: 'heartbeat', groupId: group, claim })
          endsMs[at] = world.nowMs + sessionTimeoutMs
        } else if (isHeard) {
          const { memberId, generation } = member
          const claim = { memberId, generation, instanceId: null }
          world.ask({ type: 'heartbeat', groupId: group, claim })
          endsMs[at] = world.nowMs + sessionTimeoutMs
        }
        for (const untilMs = world.nowMs + thenMs; ;) {
          const nextMs = Math.min(...endsMs)
          if (nextMs > untilMs) {
            world.advance(untilMs - world.nowMs)
            break
          }
          world.advance(nextMs - 1 - world.nowMs)
          expect(isThere(nextMs)).toBe(true)
          world.advance(1)
          expect(isThere(nextMs)).toBe(false)
          for (const [ended, endMs] of endsMs.entries()) {
            if (endMs !== nextMs) continue
            endsMs[ended] = Infinity
            joined[ended] = null
          }
        }
      }
      /** Whether those are there whose sessions end at `endMs`. */
      function isThere(endMs: number): boolean {
        const ending = groups.filter((_, at) => endsMs[at] === endMs)
        const there = ending.filter(group => (world.groups.find(group)?.members.size ?? 0) > 0)
        expect([0, ending.length]).toContain(there.length)
        return there.length > 0
      }
    }),
  )
})

test('offsets: each look takes those whose time is over, and no others', () => {
  const step = fc.record({ at: fc.nat({ max: 5 }), isLook: fc.boolean(), thenMs: fc.nat(900) })
  fc.assert(
    fc.property(timeoutMs, fc.array(step), (offsetsRetentionMs, steps) => {
      const world = new GroupWorld({ offsetsRetentionMs })
      const committedMs = new Map<string, number>()
      for (const { at, isLook, thenMs } of steps) {
        const group = `group-${at}`
        if (isLook) {
          world.step({ type: 'expire' })
          for (const [name, sinceMs] of committedMs) {
            if (world.nowMs - sinceMs >= offsetsRetentionMs) committedMs.delete(name)
          }
        } else {
          world.commit(null, [offset('topic', 0, 1, world.nowMs)], group)
          committedMs.set(group, world.nowMs)
        }
        world.advance(thenMs)
        const there = [...world.groups.all()].map(({ id }) => id)
        expect(there.toSorted()).toEqual([...committedMs.keys()].toSorted())
      }
    }),
  )
})
