import { exitCodes } from '../lib/exit-codes.ts'
import { DiskError } from '../env/env.ts'
import { NetworkError } from '../env/network.ts'
import { ConfigurationError } from './config/load.ts'
import { DirectoryError } from './log/directory/error.ts'
import { RefusedDisk } from './identity/refused-disk.ts'
import { StoreError } from './metadata/store.ts'
import { DataPathError } from './open-env.ts'

/** Why a broker does not start, or ended, for machines and for people. */
export interface Refusal {
  /** In CamelCase, as Kubernetes has it for the reasons of conditions. Names are for good. */
  readonly reason: string
  /** Sentences: what, where, and what to do. */
  readonly message: string
  readonly exitCode: number
}

/** What whoever started the broker is told of `error`. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof ConfigurationError) {
    const message = error.problems.map(asSentence).join(' ')
    return { reason: 'ConfigurationInvalid', message, exitCode: exitCodes.badConfiguration }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { reason: reasonOf(error), message: asSentence(message), exitCode: exitCodes.failed }
}

const ofDirectory: Readonly<Record<DirectoryError['reason'], string>> = {
  locked: 'DataDirectoryLocked',
  foreign: 'DataDirectoryForeign',
  failed: 'DataDirectoryFailed',
  damaged: 'DataDirectoryDamaged',
  full: 'DataDirectoryFull',
  unusable: 'DataDirectoryUnusable',
}

function reasonOf(error: unknown): string {
  if (error instanceof DirectoryError) return ofDirectory[error.reason]
  if (error instanceof RefusedDisk) return error.reason
  if (error instanceof StoreError) return `MetadataStore${camelCase(error.reason)}`
  if (error instanceof DiskError) return error.isFull ? 'DiskFull' : 'DiskFailed'
  if (error instanceof DataPathError) return 'DataPathUnavailable'
  if (error instanceof NetworkError || isOfListen(error)) {
    return error.code === 'EADDRINUSE' ? 'AddressInUse' : 'AddressUnusable'
  }
  return 'BrokerFailed'
}

/** Node's own, which the HTTP server gives. */
function isOfListen(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error && 'syscall' in error && error.syscall === 'listen' && 'code' in error
  )
}

/** `damaged` as `Damaged`. */
function camelCase(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** What Kubernetes keeps of a termination message is 4096 bytes; a line that is cut would be no JSON. */
const lineBytesMax = 4096

/** The line for the termination log: JSON without a line break, cut in the message where it is too long. */
export function terminationLine({ reason, message }: Refusal): string {
  let text = message
  while (Buffer.byteLength(JSON.stringify({ reason, message: text })) > lineBytesMax) {
    text = `${text.slice(0, Math.floor(text.length * 0.9))} ...`
  }
  return JSON.stringify({ reason, message: text })
}
