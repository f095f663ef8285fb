import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import type { Address, Network } from '../../src/env/network.ts'

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some(address => address?.address === '::1')

/** Who came, from the first client on, to a listener without a host. */
async function accepted(network: Network, hosts: readonly string[]): Promise<[string, string][]> {
  const came: [Address, Address][] = []
  const events = { frames: () => {}, drained: () => {}, closed: () => {} }
  const listener = await network.listen(
    { host: '', port: 0, frameSizeMax: 1000, requestMemoryMax: 1_000_000 },
    {
      accepted: ({ remote, local }) => {
        came.push([remote, local])
        return events
      },
      acceptFailed: code => expect.fail(code),
    },
  )
  for (const [at, host] of hosts.entries()) {
    const socket = connect({ host, port: listener.port })
    await once(socket, 'connect')
    while (came.length <= at) await new Promise(resolve => setImmediate(resolve))
    socket.destroy()
  }
  await listener.close()
  return came.map(([remote, local]) => [remote.host, local.host])
}

const hosts = ['127.0.0.1', '127.0.0.2', ...(hasIpv6 ? ['::1'] : [])]
const expected = [
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.2'],
  ...(hasIpv6 ? [['::1', '::1']] : []),
]

/** For networks of real sockets. */
export function networkEverywhere(name: string, network: () => Network): void {
  test(`${name}: a listener without a host is at every address, and tells IPv4 as IPv4`, async () => {
    expect(await accepted(network(), hosts)).toEqual(expected)
  })
}
