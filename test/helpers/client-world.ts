import { SimClock } from '../../sim/clock.ts'
import { SimNetwork } from '../../sim/network.ts'
import { poisonedNetwork } from '../../sim/poisoned-network.ts'
import { WireClient, type WireClientOptions } from '../../src/broker/wire/client/client.ts'
import { initProducerId } from '../../src/broker/wire/messages/index.ts'
import { concat } from '../../src/lib/bytes.ts'
import { Prng } from '../../src/lib/prng.ts'
import { int32 } from './numbers.ts'
import { ScriptedBroker, type Heard } from './scripted-broker.ts'

/** A client and a scripted broker on a simulated network that cuts what is sent anywhere. */
export class ClientWorld {
  readonly clock = new SimClock({ turn: () => new Promise(resolve => setImmediate(resolve)) })
  readonly network = poisonedNetwork(
    new SimNetwork(undefined, { clock: this.clock, prng: new Prng(5) }),
  )
  #broker: ScriptedBroker | null = null

  static async start(): Promise<ClientWorld> {
    const world = new ClientWorld()
    world.#broker = await ScriptedBroker.start(world.network)
    return world
  }

  get broker(): ScriptedBroker {
    return this.#broker!
  }

  connect(options?: WireClientOptions): Promise<WireClient> {
    return WireClient.connect(this, this.broker, options)
  }

  /** Connects to the broker, which knows every version that we know; then `act` gets what comes. */
  async connected(act: (heard: Heard) => void, options?: WireClientOptions): Promise<WireClient> {
    const client = await this.connect(options)
    this.broker.heard.length = 0
    this.broker.act = act
    return client
  }

  /** Answers what `ask` asked. */
  readonly answerTo = (heard: Heard): void => {
    const { transactionTimeoutMs } = heard.value as { readonly transactionTimeoutMs: number }
    this.broker.answer(heard, initProducerId, {
      throttleTimeMs: 0,
      errorCode: 0,
      producerId: transactionTimeoutMs,
      producerEpoch: 0,
      ongoingTxnProducerId: -1,
      ongoingTxnProducerEpoch: -1,
    })
  }
}

/** A request that a number tells from others: its answer has the number as producer id. */
export function ask(
  client: WireClient,
  number: number,
  options: { readonly timeoutMs?: number; readonly version?: number } = {},
) {
  const value = { transactionalId: null, transactionTimeoutMs: number }
  return client.request(
    initProducerId,
    { ...value, enable2Pc: false, keepPreparedTxn: false },
    options,
  )
}

/** `parts` with their length before them. */
export function frame(...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts)
  return concat([int32(body.length), body])
}
