import { parseEndpoint } from '../../broker/config/listeners.ts'
import { Peers } from '../../broker/cluster/peers.ts'
import type { Command } from '../../broker/cluster/controller/commands.ts'
import { CredentialFiles } from '../../broker/security/credential-files.ts'
import type { WireClient } from '../../broker/wire/client/client.ts'
import { NodeDisk } from '../../env/real/disk.ts'
import { NodeNetwork } from '../../env/real/network.ts'
import { realClock } from '../../env/real/clock.ts'
import { realRandom } from '../../env/real/random.ts'
import { exitCodes } from '../../lib/exit-codes.ts'
import { runCommand, type Terminal } from '../terminal.ts'
import { askWhoDecides, type Candidate, withIds } from './ask-controller.ts'
import { type Action, readWish, usage, type Wish } from './wish.ts'

/**
 * The front door of the room: `logcluster recover`, for whoever has brokers without an operator. It asks whichever broker decides, as `broker`,
 * by one command of the controller, which refuses what would lose records that nobody gave up by name.
 */
export function runRecover(args: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand(args, terminal, {
    usage,
    read: readWish,
    async act(wish) {
      const command = (client: WireClient): Promise<Command> => commandOf(wish.action, client)
      const refusal = await askWhoDecides(candidatesOf(wish), command)
      if (refusal !== null) throw new Error(refusal.message)
      terminal.out(doneBy(wish.action))
      return exitCodes.done
    },
  })
}

function candidatesOf({ at, credentials }: Wish): Candidate[] {
  const env = { network: new NodeNetwork(), clock: realClock, random: realRandom }
  const files = new CredentialFiles({ disk: new NodeDisk(), random: realRandom }, credentials)
  if (files.passwordOf('broker') === null) {
    throw new Error(
      `There is no password in ${credentials}/broker: give by --credentials the folder that private.credentials.dir of the brokers names.`,
    )
  }
  const peers = new Peers({
    env,
    brokerId: -1,
    version: 'recover',
    password: () => files.passwordOf('broker'),
  })
  return at.split(',').map(name => ({
    name,
    connect: () => peers.connect(parseEndpoint('--at', name)),
  }))
}

async function commandOf(action: Action, client: WireClient): Promise<Command> {
  if (action.kind === 'end-quarantine') return { type: 'endQuarantine' }
  const { directoryId, accepted } = action
  return { type: 'retireDirectory', directoryId, acceptDataLoss: await withIds(client, accepted) }
}

function doneBy(action: Action): string {
  return action.kind === 'end-quarantine'
    ? 'The quarantine is over: the cluster goes on from the metadata log as it is.'
    : `Directory ${action.directoryId} is retired: what lies there counts no more, and its broker may start with an empty one.`
}
