import { isWholeNumber } from '../lib/whole-number.ts'

/**
 * Which disk is a broker's: recorded outside of it, in a ConfigMap of that broker, whose data this file has both ways. The
 * operator writes it and nobody else; the broker reads it.
 */
export interface DiskIdentity {
  readonly clusterId: string
  readonly brokerId: number
  /** Which disk of the broker: one more each time that the loss of the last one was accepted. */
  readonly incarnation: number
  /** Of the data directory; empty until its broker has told it. */
  readonly directoryId: string
  /** Whether an empty disk may become this broker's. */
  readonly mayFormat: boolean
  /** Whether the ring of the metadata log, made anew, is to be filled from this disk, whose copy is the longest. Left out: it is not. */
  readonly mayFill?: boolean
}

/** `identity` as the ConfigMap has it. */
export function identityData(identity: DiskIdentity): Readonly<Record<string, string>> {
  return {
    clusterId: identity.clusterId,
    brokerId: String(identity.brokerId),
    incarnation: String(identity.incarnation),
    directoryId: identity.directoryId,
    mayFormat: String(identity.mayFormat),
    ...(identity.mayFill === true ? { mayFill: 'true' } : {}),
  }
}

/** What the data of a ConfigMap says; null where it is not as `identityData` writes it. */
export function identityOf(data: unknown): DiskIdentity | null {
  const { clusterId, brokerId, incarnation, directoryId, mayFormat, mayFill } = (data ??
    {}) as Readonly<Record<string, unknown>>
  const isWhole =
    typeof clusterId === 'string' &&
    clusterId !== '' &&
    isWholeNumber(brokerId) &&
    isWholeNumber(incarnation) &&
    typeof directoryId === 'string' &&
    (mayFormat === 'true' || mayFormat === 'false')
  if (!isWhole) return null
  return {
    clusterId,
    brokerId: Number(brokerId),
    incarnation: Number(incarnation),
    directoryId,
    mayFormat: mayFormat === 'true',
    ...(mayFill === 'true' ? { mayFill: true } : {}),
  }
}
