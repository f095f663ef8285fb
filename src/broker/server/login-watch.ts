import { sleep } from '../../env/clock.ts'
import type { Clock } from '../../env/env.ts'
import { failedLoginDelayMs } from '../config/failed-login.ts'
import type { Session } from '../security/session.ts'

/** A login takes some answers; who opens connections and says nothing shall not keep others out. */
const loginMsMax = 10_000

/** Of one frame of a login; Kafka takes 512 KiB, for tickets that SCRAM has not. */
const loginBytesMax = 64 * 1024

/** Watches over one connection until it has logged in, or failed to. */
export class LoginWatch {
  readonly #session: Session
  readonly #openedAtMs: number

  constructor(session: Session, openedAtMs: number) {
    this.#session = session
    this.#openedAtMs = openedAtMs
  }

  /** Why a stranger is to be closed: he is slow, or sends what fills the memory that others' requests need. */
  whyClose(nowMs: number, partialBytes: number): string | null {
    const { principal, failure } = this.#session
    if (principal !== null || failure !== null) return null
    if (nowMs - this.#openedAtMs > loginMsMax) return 'it did not log in in time'
    return partialBytes > loginBytesMax ? 'it sends more than a login has' : null
  }
}

/** What an answer to a login that failed waits for. */
export function failedLoginPause(clock: Clock): Promise<void> {
  return sleep(clock, failedLoginDelayMs)
}
