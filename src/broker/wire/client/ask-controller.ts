import { fromUtf8, utf8 } from '../../../lib/bytes.ts'
import { errorName, errors, type ErrorName } from '../errors.ts'
import { askController } from '../private/index.ts'
import type { WireClient } from './client.ts'

/** Why a command was not done. */
export interface CommandRefusal {
  readonly error: ErrorName
  readonly message: string
}

/**
 * Asks the broker behind `client`, which has to be logged in as a broker, to decide a command of
 * `cluster/controller/commands.ts`; null where it is done, NOT_CONTROLLER where another one has to be asked. It is answered within
 * `timeoutMs` milliseconds. @throws WireClientError
 */
export async function refusalOfCommand(
  client: WireClient,
  command: { readonly type: string },
  timeoutMs: number,
): Promise<CommandRefusal | null> {
  const { errorCode, errorMessage, answer } = await client.request(askController, {
    brokerId: -1,
    timeoutMs,
    command: utf8(JSON.stringify(command)),
  })
  const error = errorName(errorCode)
  if (error !== 'NONE') return { error, message: errorMessage ?? errors[error].message }
  const told = JSON.parse(fromUtf8(answer)) as CommandRefusal & { readonly type: string }
  return told.type === 'refused' ? { error: told.error, message: told.message } : null
}
