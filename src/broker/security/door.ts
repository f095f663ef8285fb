import type { Random } from '../../env/env.ts'
import type { Api } from '../wire/field.ts'
import { apiByKey } from '../wire/messages/index.ts'
import { privateApiByKey } from '../wire/private/index.ts'
import { privateMechanism, type CredentialFiles } from './credential-files.ts'
import { SaslSession } from './sasl-session.ts'
import { openSession, type Session } from './session.ts'

/**
 * The front door of the room: what a listener's connections find, a session each, and the APIs that there are at all. A session
 * says before each request whether it may be asked by who sends it, as far as that is known; it waits for nothing and knows no socket.
 */
export interface Door {
  openSession(): Session
  apiByKey(key: number): Api | undefined
}

/** Of the listeners of clients. */
export const clientDoor: Door = { openSession: () => openSession, apiByKey }

/** Of the private listener: nobody is served who has not logged in. */
export function privateDoor(files: CredentialFiles, random: Random): Door {
  return {
    apiByKey: privateApiByKey,
    openSession: () =>
      new SaslSession({
        random,
        mechanisms: [privateMechanism.name],
        credentialOf: user => files.credentialOf(user),
        brokerUser: 'broker',
      }),
  }
}
