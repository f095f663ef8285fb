import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** By this process: who got one may not listen on it yet. */
const given = new Set<number>()

/**
 * A port of `address` that nobody listens on, below those that the kernel gives to connections and to listeners
 * without a wish, and below NodePorts: so it is still free when a server that was stopped comes back to it.
 */
export async function freePort(address: string): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000)
    if (given.has(port) || !(await isFree(address, port))) continue
    given.add(port)
    return port
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(false))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
