import { readFileSync } from 'node:fs'
import { readAddresses } from '../addresses.ts'
import type { NamedPartition } from './ask-controller.ts'

export const usage = `Usage: logcluster recover ACTION --at HOST:PORT,... --credentials DIR

What no broker does by itself, because a person has to know what he gives up. The controller is asked over the private listeners
(private.listener) of the brokers, as which a file \`broker\` in DIR (private.credentials.dir) logs in.

  retire-directory ID [--accept-data-loss TOPIC-PARTITION,...]
      What lies in this data directory counts no more: its disk is gone, or was replaced. Refused while it may be the only
      complete copy of a partition; the refusal names them, and each that is named here is given up.
      @FILE has one name a line, for those that are too many for a command line.
  end-quarantine
      Somebody looked at the metadata log, which is not the one that a broker followed: the cluster goes on from it as it is.

  --at HOST:PORT,...   private listeners of all brokers, or at least of the controller
  --credentials DIR    the folder with the file \`broker\``

export type Action =
  | {
      readonly kind: 'retire-directory'
      readonly directoryId: string
      readonly accepted: readonly NamedPartition[]
    }
  | { readonly kind: 'end-quarantine' }

export interface Wish {
  readonly action: Action
  readonly at: string
  readonly credentials: string
}

const options = ['--at', '--credentials', '--accept-data-loss'] as const

/** What is asked for, or what is wrong with how it is asked. */
export function readWish(args: readonly string[]): Wish | string {
  const given = new Map<string, string>()
  const words: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (!arg.startsWith('-')) {
      words.push(arg)
      continue
    }
    const [name = '', value] = arg.split(/=(.*)/s)
    if (!options.some(each => each === name)) {
      return `${name} is no option: there are ${options.join(', ')}`
    }
    const text = value ?? args[++index]
    if (text === undefined || text === '') return `${name} needs a value after it`
    given.set(name, text)
  }
  const action = readAction(words, given.get('--accept-data-loss'))
  if (typeof action === 'string') return action
  const at = given.get('--at')
  const credentials = given.get('--credentials')
  if (at === undefined)
    return '--at is needed: HOST:PORT,... of the brokers, as private.listener has it'
  if (credentials === undefined) {
    return '--credentials is needed: the folder that private.credentials.dir of the brokers names'
  }
  const addresses = readAddresses('--at', at)
  return typeof addresses === 'string' ? addresses : { action, at, credentials }
}

function readAction(
  [kind, id, ...rest]: readonly string[],
  accepted: string | undefined,
): Action | string {
  switch (kind) {
    case 'end-quarantine':
      if (id !== undefined) return 'end-quarantine takes nothing after it'
      if (accepted !== undefined) return '--accept-data-loss goes with retire-directory alone'
      return { kind }
    case 'retire-directory': {
      if (id === undefined || rest.length > 0 || !/^[A-Za-z0-9_-]{22}$/.test(id)) {
        return 'retire-directory needs the id of one data directory, 22 characters, as its meta.properties or the status of its broker tells it'
      }
      const named = readPartitions(accepted)
      return typeof named === 'string' ? named : { kind, directoryId: id, accepted: named }
    }
    case undefined:
    default:
      return `${kind ?? 'Nothing'} is no action: there are retire-directory and end-quarantine`
  }
}

function readPartitions(given: string | undefined): NamedPartition[] | string {
  const found: NamedPartition[] = []
  let names = given?.split(',') ?? []
  if (given?.startsWith('@') === true) {
    try {
      const lines = readFileSync(given.slice(1), 'utf8').split('\n')
      names = lines.map(line => line.trim()).filter(line => line !== '')
    } catch (error) {
      return `--accept-data-loss ${given}: ${(error as Error).message}`
    }
  }
  for (const name of names) {
    const [, topic, index] = /^(.+)-(\d{1,6})$/.exec(name) ?? []
    if (topic === undefined) return `${name} is no partition: write TOPIC-PARTITION, as orders-3`
    found.push({ topic, index: Number(index) })
  }
  return found
}
