import { describe, expect, test } from 'vitest'
import { SimClock } from '../../../sim/clock.ts'
import type { KubernetesApi } from './api.ts'
import { ApiError } from './api-error.ts'
import { Leader } from './leader.ts'
import type { Lease } from './objects.ts'

/** The Lease of one API server, which can be made to hang or to fail. */
class LeaseServer {
  lease: Lease | null = null
  state: 'answers' | 'hangs' | 'fails' = 'answers'
  #version = 0

  readonly api = {
    get: () => this.#answer(() => this.lease),
    create: (_: unknown, draft: Lease) =>
      this.#answer(() => {
        if (this.lease !== null) throw refused('AlreadyExists')
        return this.#store(draft)
      }),
    replace: (_: unknown, draft: Lease) =>
      this.#answer(() => {
        const isNewest = draft.metadata.resourceVersion === this.lease?.metadata.resourceVersion
        if (!isNewest) throw refused('Conflict')
        return this.#store(draft)
      }),
  } as unknown as Pick<KubernetesApi, 'get' | 'create' | 'replace'>

  get holder(): string | undefined {
    return this.lease?.spec?.holderIdentity
  }

  #store(draft: Lease): Lease {
    const metadata = { ...draft.metadata, uid: 'u', resourceVersion: String(++this.#version) }
    return (this.lease = { ...draft, metadata })
  }

  async #answer<T>(answer: () => T): Promise<T> {
    if (this.state === 'hangs') return new Promise(() => {})
    if (this.state === 'fails') throw new ApiError('unreachable', { message: 'nobody there' })
    return answer()
  }
}

function refused(reason: string): ApiError {
  return new ApiError('refused', { code: 409, reason, message: reason })
}

function candidate(server: LeaseServer, clock: SimClock, identity: string) {
  const told: string[] = []
  const leader = new Leader({
    api: server.api,
    clock,
    namespace: 'a',
    name: 'lease',
    identity,
    onLost: () => told.push('lost'),
    onFailure: () => told.push('failure'),
  })
  void leader.leading.then(() => told.push('leads'))
  void leader.run()
  return { leader, told }
}

describe('a leader', () => {
  test('renews as long as it runs, and keeps others waiting', async () => {
    const [server, clock] = [new LeaseServer(), new SimClock()]
    const a = candidate(server, clock, 'a')
    await clock.run(1000)
    const b = candidate(server, clock, 'b')
    await clock.run(120_000)
    expect([a.told, b.told]).toEqual([['leads'], []])
    expect([a.leader.mayAct(), b.leader.mayAct()]).toEqual([true, false])
    expect(server.lease?.spec).toMatchObject({ leaseDurationSeconds: 15, leaseTransitions: 0 })
  })

  for (const state of ['hangs', 'fails'] as const) {
    test(`has lost when its Lease ${state} for ten seconds`, async () => {
      const [server, clock] = [new LeaseServer(), new SimClock()]
      const { leader, told } = candidate(server, clock, 'a')
      await clock.run(1000)
      server.state = state
      await clock.run(8500)
      expect(told.at(-1)).not.toBe('lost')
      await clock.run(6000)
      expect(leader.mayAct()).toBe(false)
      expect(told.at(-1)).toBe('lost')
    })
  }

  test('that gives its Lease up is followed at once', async () => {
    const [server, clock] = [new LeaseServer(), new SimClock()]
    const a = candidate(server, clock, 'a')
    await clock.run(1000)
    const b = candidate(server, clock, 'b')
    await clock.run(5000)
    await a.leader.release()
    expect([server.holder, a.leader.mayAct()]).toEqual(['', false])
    await clock.run(2000)
    expect(b.told).toEqual(['leads'])
    expect(server.lease?.spec?.leaseTransitions).toBe(1)
    await clock.run(60_000)
    expect(server.holder).toBe('b')
  })

  test('that is dead is followed when its Lease is over', async () => {
    const [server, clock] = [new LeaseServer(), new SimClock()]
    const dead = new LeaseServer()
    candidate(dead, clock, 'dead')
    await clock.run(1000)
    server.lease = dead.lease
    const b = candidate(server, clock, 'b')
    await clock.run(14_000)
    expect(b.told).toEqual([])
    await clock.run(4000)
    expect(b.told).toEqual(['leads'])
  })
})
