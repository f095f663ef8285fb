import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { nativeForTests } from '../../../test/helpers/native.ts'

/** Decision 0018. What a socket uses only the kernel tells, and `ss` asks it. */

const { network } = nativeForTests().native
const ofMachine = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
const whyNot = spawnSync('ss', ['--version']).error === undefined ? null : 'no ss here'

test.skipIf(whyNot !== null)('both ends at one address: what we send is not paced', async () => {
  expect(await congestionOf('127.0.0.1')).toBe('reno')
})

test.skipIf(whyNot !== null)('an end at another address: as the machine has it', async () => {
  expect(await congestionOf('127.0.0.2')).toBe(ofMachine)
})

/** By which our end of a connection from `localAddress` is sent. */
async function congestionOf(localAddress: string): Promise<string | undefined> {
  const accepted = Promise.withResolvers<void>()
  const limits = { frameSizeMax: 1000, requestMemoryMax: 2 ** 20 }
  const listener = await network.listen(
    { host: '127.0.0.1', port: 0, ...limits },
    {
      acceptFailed: code => accepted.reject(new Error(code)),
      accepted: () => {
        accepted.resolve()
        return { frames: () => {}, drained: () => {}, closed: () => {} }
      },
    },
  )
  const socket = connect({ host: '127.0.0.1', port: listener.port, localAddress })
  try {
    await Promise.all([once(socket, 'connect'), accepted.promise])
    // By both ends: another address of this machine may have a connection from a port of that number.
    const ours = ['src', `127.0.0.1:${listener.port}`]
    const theirs = ['dst', `${localAddress}:${socket.localPort}`]
    const told = execFileSync('ss', ['-Htin', 'state', 'established', ...ours, ...theirs])
    return /^\s+(?:ts )?(?:sack )?(?:ecn\w* )*(\w+)/mu.exec(told.toString())?.[1]
  } finally {
    socket.destroy()
    await listener.close()
  }
}
