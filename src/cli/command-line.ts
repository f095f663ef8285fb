import { nearest } from '../broker/config/nearest.ts'

/** One word after `logcluster`, and what it is for in half a line. */
export interface Command {
  readonly name: string
  readonly summary: string
}

/** What a command line asks for: a command with the arguments after it, a text to print, or nothing that there is. */
export type Asked =
  | { readonly kind: 'command'; readonly name: string; readonly args: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'refused'; readonly problem: string }

/** Words that ask for help or the version as options, because that is what hands type. */
const options: Readonly<Record<string, 'help' | 'version'>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
}

/** Reads what stands after the program's name. */
export function readCommandLine(args: readonly string[], commands: readonly Command[]): Asked {
  const [word, ...rest] = args
  if (word === undefined || word === 'help') return { kind: 'help' }
  const option = options[word]
  if (option !== undefined) return { kind: option }
  if (word === 'version') return { kind: 'version' }
  if (commands.some(({ name }) => name === word)) return { kind: 'command', name: word, args: rest }
  return { kind: 'refused', problem: unknown(word, commands) }
}

function unknown(word: string, commands: readonly Command[]): string {
  const names = [...commands.map(({ name }) => name), 'version', 'help']
  const near = nearest(word, names)
  const hint = near === null ? `there are ${names.join(', ')}` : `did you mean ${near}?`
  return `${word} is no command of logcluster: ${hint}`
}

/** The text of `logcluster help`. */
export function helpText(commands: readonly Command[]): string {
  const rows = [
    ...commands,
    { name: 'version', summary: 'prints the version' },
    { name: 'help', summary: 'prints this' },
  ]
  const width = Math.max(...rows.map(({ name }) => name.length))
  return [
    'Usage: logcluster COMMAND [arguments]',
    '',
    ...rows.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'logcluster COMMAND --help says what a command takes.',
  ].join('\n')
}
