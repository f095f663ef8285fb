import { SimDisk } from '../../sim/disk.ts'
import type { Settings } from '../../src/broker/config/settings.ts'
import { WireClient } from '../../src/broker/wire/client/client.ts'
import { scramLogin } from '../../src/broker/wire/client/scram-login.ts'
import { scramMechanism } from '../../src/broker/wire/sasl/scram-mechanisms.ts'
import { realClock } from '../../src/env/real/clock.ts'
import { NodeNetwork } from '../../src/env/real/network.ts'
import { realRandom } from '../../src/env/real/random.ts'
import { utf8 } from '../../src/lib/bytes.ts'
import { InProcessBroker } from './in-process.ts'

const network = new NodeNetwork()

/** A broker in this process with a private listener, where `operator` and `broker` have these passwords. */
export const passwords = { operator: 'open sesame', broker: 'friend' }

export function putPassword(disk: SimDisk, user: string, password: string): void {
  const path = `/secret/${user}`
  if (disk.stat('/secret') === null) disk.mkdir('/secret')
  if (disk.stat(path) !== null) disk.unlink(path)
  const file = disk.open(path, 'create')
  file.write(0, [utf8(password)])
  file.close()
}

/** Made, and not started. */
export function madePrivate(changes: Partial<Settings>, disk: SimDisk): InProcessBroker {
  for (const [user, password] of Object.entries(passwords)) putPassword(disk, user, password)
  const settings = { privateListener: '127.0.0.1:0', privateCredentialsDir: '/secret' }
  return InProcessBroker.made({ ...settings, ...changes }, disk)
}

export async function startPrivate(
  changes: Partial<Settings> = {},
  disk = new SimDisk(),
): Promise<InProcessBroker> {
  const made = madePrivate(changes, disk)
  await made.broker.start()
  return made
}

export function privatePort({ broker }: InProcessBroker): number {
  return broker.privateListener!.port
}

/** A client at the private listener, without a word of login. */
export function stranger(broker: InProcessBroker): Promise<WireClient> {
  const address = { host: '127.0.0.1', port: privatePort(broker) }
  return WireClient.connect({ clock: realClock, network }, address)
}

/** One that has logged in. */
export function friend(
  broker: InProcessBroker,
  user: 'operator' | 'broker' = 'operator',
  password = passwords[user],
): Promise<WireClient> {
  const address = { host: '127.0.0.1', port: privatePort(broker) }
  const mechanism = scramMechanism('SCRAM-SHA-256')!
  const authenticate = scramLogin({ random: realRandom, mechanism, user, password })
  return WireClient.connect({ clock: realClock, network }, address, { authenticate })
}
