import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { Address } from '../../src/env/network.ts'

/** Listens for two connections, takes none, and stands still. */
const program = `
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, server.address().port + '\\n')
    process.kill(process.pid, 'SIGSTOP')
  })
`

/** More than the kernel keeps for a listener with that backlog, so that it drops whatever else comes. */
const fillerCount = 8
const keptCount = 2

/** A TCP port whose listener has no room: the kernel does not answer who wants to connect (tcp(7), tcp_abort_on_overflow). */
export async function silentTcpPlace(): Promise<Address & AsyncDisposable> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const port = Number(line)
  const fillers = Array.from({ length: fillerCount }, () => connect({ host: '127.0.0.1', port }))
  let connected = 0
  await new Promise<void>(resolve => {
    for (const filler of fillers) {
      filler.on('error', () => {})
      filler.on('connect', () => void (++connected === keptCount && resolve()))
    }
  })
  return {
    host: '127.0.0.1',
    port,
    async [Symbol.asyncDispose]() {
      for (const filler of fillers) filler.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
