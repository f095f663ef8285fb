import type { Address } from '../../env/env.ts'
import { readAddresses } from '../addresses.ts'

/** What is asked for. */
export interface Wish {
  /** `-`: standard input, or output. */
  readonly file: string
  readonly bootstrap: readonly Address[]
  readonly isTopicsOnly: boolean
}

const defaultBootstrap = '127.0.0.1:9092'

/** Words and options after `logcluster export`, or what is wrong with them. */
export function readExportWish(args: readonly string[]): Wish | string {
  const option = args.find(arg => arg.startsWith('-'))
  if (option !== undefined) return `${option} is no option: logcluster export has none`
  const [bootstrap = defaultBootstrap, ...more] = args
  if (more.length > 0) return 'logcluster export takes one list of addresses: HOST:PORT,...'
  return wishOf('-', bootstrap, false)
}

/** As `readExportWish`, after `logcluster import`. */
export function readImportWish(args: readonly string[]): Wish | string {
  const topicsOnly = '--topics-only'
  const option = args.find(arg => arg.startsWith('-') && arg !== '-' && arg !== topicsOnly)
  if (option !== undefined) return `${option} is no option: there is ${topicsOnly}`
  const [file, bootstrap = defaultBootstrap, ...more] = args.filter(arg => arg !== topicsOnly)
  if (file === undefined)
    return 'logcluster import needs the file with the document; - reads it from standard input'
  if (more.length > 0)
    return 'logcluster import takes a file and one list of addresses: HOST:PORT,...'
  return wishOf(file, bootstrap, args.includes(topicsOnly))
}

function wishOf(file: string, text: string, isTopicsOnly: boolean): Wish | string {
  const bootstrap = readAddresses('HOST:PORT', text)
  return typeof bootstrap === 'string' ? bootstrap : { file, bootstrap, isTopicsOnly }
}
