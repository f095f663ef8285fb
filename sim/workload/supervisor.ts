import { sleep } from '../../src/env/clock.ts'
import { Peers } from '../../src/broker/cluster/peers.ts'
import type { Answer, Command } from '../../src/broker/cluster/controller/commands.ts'
import { AnsweredError, WireClientError } from '../../src/broker/wire/client/client-error.ts'
import { askController } from '../../src/broker/wire/private/index.ts'
import { fromUtf8, utf8 } from '../../src/lib/bytes.ts'
import { passwordOf, privatePort } from '../cluster/node.ts'
import type { World } from '../cluster/world.ts'

/** Who replaces disks, and tells the controller so over the private listeners. */
export class SimSupervisor {
  readonly #world: World
  readonly #clock: ReturnType<World['client']>['clock']
  readonly #peers: Peers
  #isStopped = false

  constructor(world: World) {
    this.#world = world
    const env = world.client('supervisor')
    this.#clock = env.clock
    const password = (): string => passwordOf('broker')
    this.#peers = new Peers({ env, brokerId: -1, version: 'sim', password })
  }

  stop(): void {
    this.#isStopped = true
    this.#peers.close()
  }

  /** Resolves when the cluster has noted it; it is asked for until then. */
  async retire(directoryId: string): Promise<void> {
    const command = { type: 'retireDirectory', directoryId, acceptDataLoss: [] } as const
    while (!this.#isStopped) {
      for (const { host } of this.#world.nodes) {
        const answer = await this.#ask(host, command)
        if (answer?.type === 'directoryRetired') return
      }
      await sleep(this.#clock, 500)
    }
  }

  /** null where this one does not decide, refuses, or cannot be asked. */
  async #ask(host: string, command: Command): Promise<Answer | null> {
    try {
      const client = await this.#peers.connect({ host, port: privatePort })
      const asked = { brokerId: -1, timeoutMs: 5000, command: utf8(JSON.stringify(command)) }
      const told = await client.request(askController, asked).finally(() => client.close())
      if (told.errorCode === 0) return JSON.parse(fromUtf8(told.answer)) as Answer
      this.#world.trace.note(`supervisor: ${host} says ${told.errorMessage ?? told.errorCode}`)
      return null
    } catch (error) {
      if (!(error instanceof AnsweredError) && !(error instanceof WireClientError)) throw error
      this.#world.trace.note(`supervisor: ${error.message}`)
      return null
    }
  }
}
