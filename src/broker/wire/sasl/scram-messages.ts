import { fromUtf8 } from '../../../lib/bytes.ts'

/**
 * A message of RFC 5802 that is none, or that says no. Its text has no secrets.
 *
 * The front door of the room: both sides of SCRAM (`ScramClient`, `ScramServer`), each a state machine that takes the other's last
 * message and gives its next, without I/O; whatever the other side sends wrong ends in this error and nothing else.
 */
export class ScramError extends Error {
  override readonly name = 'ScramError'
}

/** `name` as it stands in a message: commas and equals signs are its syntax. */
export function saslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** @throws ScramError */
export function readSaslName(text: string): string {
  if (/=(?!2C|3D)/.test(text)) throw new ScramError('the name of the user is not encoded')
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** @throws ScramError */
export function textOf(token: Uint8Array): string {
  try {
    return fromUtf8(token)
  } catch {
    throw new ScramError('the message is not UTF-8')
  }
}

/**
 * The values of attributes `names`, which must come first and in this order; what else may come after them
 * (extensions) is passed over, but a mandatory extension `m` in their place is not known.
 * @throws ScramError
 */
export function readAttributes<const Names extends readonly string[]>(
  text: string,
  names: Names,
): { [At in keyof Names]: string } {
  const parts = text.split(',')
  const values = names.map((name, at) => {
    const part = parts[at] ?? ''
    if (!part.startsWith(`${name}=`)) throw new ScramError(`attribute ${name} is missing`)
    return part.slice(2)
  })
  return values as { [At in keyof Names]: string }
}

/** @throws ScramError */
export function readBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  if (text === '' || bytes.toString('base64') !== text)
    throw new ScramError('a value is not base64')
  return bytes
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Chance that only those in the exchange know; printable, without commas. */
export function nonceOf(bytes: Uint8Array): string {
  return base64(bytes).replaceAll('=', '')
}

export const nonceBytes = 24
