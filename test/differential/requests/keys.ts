import { readFileSync } from 'node:fs'
import { apiByKey } from '../../../src/broker/wire/messages/index.ts'
import { readAnswer } from '../connection.ts'
import { frameOfBytes } from '../exact-wire.ts'
import type { Scenario, Session } from '../session.ts'

/** The least that an API can be asked in a version, as the bytes behind the header. */
export interface KeyRequest {
  readonly key: number
  readonly name: string
  readonly version: number
  readonly isFlexible: boolean
  readonly hex: string
}

/** Written by record.ts from Apache's declarations, so that a replay needs none. */
export const keyRequestsFile = new URL('../recorded/key-requests.json', import.meta.url)

/** What is never sent: Kafka would forget itself, or never answer a request that names no transaction. */
const left = ['64 v0', '24 v5']

/** Every API key in its lowest and its highest version, and in the ones outside of them. */
async function everyKey(session: Session): Promise<void> {
  const requests = JSON.parse(readFileSync(keyRequestsFile, 'utf8')) as readonly KeyRequest[]
  for (const request of requests.filter(
    ({ key, version }) => !left.includes(`${key} v${version}`),
  )) {
    await ask(session, request)
  }
  for (const key of [-1, 4, 5, 6, 7, 93, 94, 95, 999]) {
    await ask(session, { key, name: 'no API', version: 0, isFlexible: false, hex: '' })
  }
}

async function ask(session: Session, request: KeyRequest): Promise<void> {
  const { key, name, version, hex } = request
  const over = session.connection('')
  const frame = frameOfBytes(request, over.nextCorrelationId(), Buffer.from(hex, 'hex'))
  const outcome = await over.exchange(frame)
  const label = `${key} ${name} v${version}`
  const api = apiByKey(key)
  const isTold = api !== undefined && version >= api.versions[0] && version <= api.versions[1]
  if (isTold) session.keep(label, api, readAnswer(api, version, outcome), {})
  else session.note(label, typeof outcome === 'string' ? outcome : 'answered')
}

export const keyScenarios: readonly Scenario[] = [{ name: 'Every API key', run: everyKey }]
