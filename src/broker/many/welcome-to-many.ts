import { commandLine } from './command-line.ts'
import type { Ready } from './supervisor.ts'

/** The few lines that somebody who tries a cluster for the first time needs. */
export function welcomeToMany(
  brokers: readonly (Ready & { readonly pid: number })[],
  metadataDir: string,
): string {
  const addresses = brokers.map(({ listeners }) => listeners[0] ?? '')
  const http = brokers.flatMap(broker => broker.http ?? [])
  const victim = brokers.at(-1)!
  return [
    '',
    `LogCluster: ${brokers.length} brokers that form a cluster. Topics are created when they are first used.`,
    ...brokers.map(
      ({ pid, listeners }, id) => `  broker ${id}  ${listeners.join(', ')}  process ${pid}`,
    ),
    `  produce   echo 'key:hello' | kcat -b ${addresses.join(',')} -t greetings -P -K:`,
    `  consume   kcat -b ${addresses.join(',')} -t greetings -C -o beginning -e -f '%p %o %k %s\\n'`,
    `  status    ${commandLine(import.meta.filename)} status ${addresses[0]}`,
    `  try       kill -9 ${victim.pid}: broker ${brokers.length - 1} is back within five seconds, and nothing is lost`,
    ...(http.length === 0 ? [] : [`  metrics   curl http://${http[0]}/metrics`]),
    `  metadata  ${metadataDir}`,
    '',
  ].join('\n')
}
