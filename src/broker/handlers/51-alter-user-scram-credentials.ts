import type { Cluster, ScramUserChange } from '../cluster/cluster.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  alterUserScramCredentials,
  type AlterUserScramCredentialsRequest,
  type AlterUserScramCredentialsResponse,
} from '../wire/messages/index.ts'
import { changeTimeoutMs } from './change-timeout.ts'
import type { Handler } from './handler.ts'
import {
  scramCredential,
  scramIterations,
  scramMechanism,
  type SaltedPassword,
} from '../wire/sasl/scram-mechanisms.ts'

/** One wish of a request; `given` null takes the credential away. */
interface Wish {
  readonly mechanism: number
  readonly given: SaltedPassword | null
}

interface Problem {
  readonly error: ErrorName
  readonly message: string
}

/**
 * AlterUserScramCredentials: v0. One answer a user: all that is asked for it happens, or nothing. What stands for the
 * password is turned into the keys of RFC 5802 here and goes no further.
 */
export function alterUserScramCredentialsHandler(
  cluster: Cluster,
): Handler<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse> {
  return {
    api: alterUserScramCredentials,
    async handle(request) {
      const read = Array.from(wishesByUser(request), ([user, wishes]) => changeOf(user, wishes))
      const changes = read.flatMap(each => ('credentials' in each ? each : []))
      const decided = (await cluster.alterScramUsers(changes, changeTimeoutMs(0))).values()
      const results = read.map(each => {
        const { error, message } = 'credentials' in each ? decided.next().value! : each
        return { user: each.user, errorCode: errorCode(error), errorMessage: message }
      })
      return { throttleTimeMs: 0, results }
    },
  }
}

function wishesByUser(request: AlterUserScramCredentialsRequest): Map<string, Wish[]> {
  const byUser = new Map<string, Wish[]>()
  const add = (user: string, wish: Wish): void => {
    const wishes = byUser.get(user)
    if (wishes === undefined) byUser.set(user, [wish])
    else wishes.push(wish)
  }
  for (const { name, mechanism } of request.deletions) add(name, { mechanism, given: null })
  for (const { name, mechanism, ...given } of request.upsertions) add(name, { mechanism, given })
  return byUser
}

function changeOf(
  user: string,
  wishes: readonly Wish[],
): ScramUserChange | (Problem & { readonly user: string }) {
  const problem = problemOf(user, wishes)
  if (problem !== null) return { user, ...problem }
  const credentials = wishes.map(({ mechanism, given }) => {
    const known = scramMechanism(mechanism)!
    const credential = given === null ? null : scramCredential(known, given)
    return { mechanism: known.name, credential }
  })
  return { user, credentials }
}

/** The first thing that is wrong; null where nothing is. */
function problemOf(user: string, wishes: readonly Wish[]): Problem | null {
  if (user === '') return unacceptable('A user needs a name.')
  for (const { mechanism, given } of wishes) {
    if (scramMechanism(mechanism) === undefined) {
      const message = `There is no SCRAM mechanism ${mechanism}: SCRAM-SHA-256 is 1, SCRAM-SHA-512 is 2.`
      return { error: 'UNSUPPORTED_SASL_MECHANISM', message }
    }
    if (wishes.filter(other => other.mechanism === mechanism).length > 1) {
      const message = `The request changes the same credential of ${JSON.stringify(user)} more than once.`
      return { error: 'DUPLICATE_RESOURCE', message }
    }
    if (given === null) continue
    const { min, max } = scramIterations
    if (given.iterations < min || given.iterations > max) {
      return unacceptable(
        `The iterations must be ${min} to ${max}, and ${given.iterations} is outside.`,
      )
    }
    if (given.salt.length === 0) return unacceptable('The salt is empty.')
    if (given.saltedPassword.length === 0) return unacceptable('The salted password is empty.')
  }
  return null
}

function unacceptable(message: string): Problem {
  return { error: 'UNACCEPTABLE_CREDENTIAL', message }
}
