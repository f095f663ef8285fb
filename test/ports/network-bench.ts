import type { Duplex } from 'node:stream'
import type { Disk } from '../../src/env/disk.ts'
import type { Address, ListenOptions, Network } from '../../src/env/network.ts'
import type { TestClient } from './network-client.ts'
import type { Behaviour, TestServer } from './network-server.ts'

/** A network, and what a test needs around it. */
export interface NetworkUnderTest {
  readonly network: Network
  connect(host: string, port: number): Promise<Duplex>
  /** Ends the connection of a client's Duplex by a reset. */
  reset(duplex: Duplex): void
  /** A place that answers no attempt to connect, until it is disposed of. */
  silentPlace(): Promise<Address & AsyncDisposable>
  readonly disk: Disk
  readonly root: string
  clean(): void
}

/** What the parts of the suite work with; made anew for every test. */
export interface NetworkBench {
  readonly under: NetworkUnderTest
  serve(behaviour?: Behaviour | null, options?: Partial<ListenOptions>): Promise<TestServer>
  connect(server: TestServer): Promise<TestClient>
}
