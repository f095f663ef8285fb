/** The front door of the room: the broker's whole outside world, four small ports. Nothing else may touch a clock, chance, a file or a socket. */
import type { Clock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import type { Crc32c } from '../lib/crc32c.ts'
import type { WalkRecords } from '../lib/record-walk.ts'

export interface Env {
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  readonly network: Network
  readonly crc32c: Crc32c
  readonly walkRecords: WalkRecords
}

export type { Clock, Timer } from './clock.ts'
export type { ColdGate, WaitingJob } from './cold-gate.ts'
export type { Disk, DiskFile, DiskLock } from './disk.ts'
export { DiskError, lookUpBytesMax } from './disk.ts'
export type {
  Address,
  ByteSpan,
  CloseReason,
  ConnectOptions,
  Connection,
  ConnectionEvents,
  FileRange,
  Frame,
  ListenOptions,
  Listener,
  ListenerEvents,
  Network,
  NetworkCounters,
  OutPart,
  SendStream,
} from './network.ts'
export type { Random } from './random.ts'
