import { expect, test } from 'vitest'
import { utf8 } from '../../src/lib/bytes.ts'
import { withBroker } from '../helpers/broker.ts'
import { eventually } from '../helpers/eventually.ts'
import { BrokerClient } from '../helpers/broker-client.ts'
import { RawClient } from '../helpers/raw-client.ts'
import { WireClientError } from '../../src/broker/wire/client/client-error.ts'
import { Bystander } from './bystander.ts'
import { refusalFrom } from './log-lines.ts'

const address = '127.0.3.1'

test('a frame that is never complete, and a connection that is silent, are closed', async () => {
  const settings = { 'connections.frame.timeout.ms': '200', 'connections.max.idle.ms': '1000' }
  await withBroker({ settings }, async broker => {
    const slow = await RawClient.connect(broker.port, { localAddress: address })
    slow.send(Uint8Array.of(0, 0, 0, 100, 0, 3))
    await slow.closed
    expect(await refusalFrom(broker, address)).toMatchObject({ reason: 'frame-timeout' })
    const silent = await BrokerClient.connect(broker.port, { isSilent: true })
    await silent.closed
    // Who is not silent is served; on a loaded machine anybody may be silent for a second once.
    await eventually('somebody else is served', () =>
      isLetIn(() => BrokerClient.connect(broker.port, { isSilent: true })),
    )
  })
})

test('an address with too many connections is turned away, others are not', async () => {
  const settings = { 'max.connections.per.ip': '5' }
  await withBroker({ settings }, async broker => {
    const bystander = await Bystander.join(broker)
    const connect = () =>
      BrokerClient.connect(broker.port, { localAddress: address, isSilent: true })
    const kept = await Promise.all(Array.from({ length: 5 }, connect))
    for (const client of kept) expect((await client.apiVersions()).errorCode).toBe(0)
    const sixth = await connect()
    await expect(sixth.apiVersions()).rejects.toThrow(WireClientError)
    expect(await refusalFrom(broker, address)).toMatchObject({ reason: 'max.connections.per.ip' })
    kept[0]!.close()
    // The broker hears of the place that became free a little later.
    await eventually('a place became free', () => isLetIn(connect))
    await bystander.isServed()
    for (const client of kept) client.close()
    bystander.leave()
  })
})

test('a request above the limit is refused by its length, before it is sent', async () => {
  const settings = { 'socket.request.max.bytes': '10000', 'message.max.bytes': '5000' }
  await withBroker({ settings }, async broker => {
    const bystander = await Bystander.join(broker)
    const client = await RawClient.connect(broker.port, { localAddress: address })
    client.send(Uint8Array.of(0, 0, 0x27, 0x11))
    client.send(utf8('x'))
    await client.closed
    expect(await refusalFrom(broker, address)).toMatchObject({ reason: 'frame' })
    await bystander.isServed()
    bystander.leave()
  })
})

/** Whether who connects is answered, or its connection closed. */
async function isLetIn(connect: () => Promise<BrokerClient>): Promise<boolean> {
  using client = await connect()
  try {
    expect((await client.apiVersions()).errorCode).toBe(0)
    return true
  } catch (error) {
    if (!(error instanceof WireClientError)) throw error
    return false
  }
}
