import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import type { Socket } from 'node:net'
import { poisonedNetwork } from '../../sim/poisoned-network.ts'
import { nativeForTests } from '../helpers/native.ts'
import { networkEverywhere } from './network-everywhere.ts'
import { networkConformance } from './network-conformance.ts'
import { silentTcpPlace } from './silent-place.ts'

networkConformance('native', () => {
  const { native } = nativeForTests()
  const root = mkdtempSync(`${tmpdir()}/logcluster-network-`)
  return {
    network: poisonedNetwork(native.network),
    disk: native.disk,
    root,
    connect: (host, port) =>
      new Promise((resolve, reject) => {
        const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
        socket.once('error', reject)
        socket.once('connect', () => resolve(socket))
      }),
    reset: duplex => void (duplex as Socket).resetAndDestroy(),
    silentPlace: silentTcpPlace,
    clean: () => rmSync(root, { recursive: true }),
  }
})

networkEverywhere('native', () => nativeForTests().native.network)
