import type { BoundListener } from './server/server.ts'

export interface Welcome {
  readonly listeners: readonly BoundListener[]
  readonly http: string | null
  readonly dataPath: 'native' | 'node'
}

/** The few lines that somebody who tries the broker for the first time needs. */
export function welcome({ listeners, http, dataPath }: Welcome): string {
  const first = listeners[0]
  const broker = first === undefined ? '127.0.0.1:9092' : `${first.host}:${first.port}`
  const lines = [
    '',
    `LogCluster listens on ${broker}. Topics are created when they are first used.`,
    `  produce   echo 'key:hello' | kcat -b ${broker} -t greetings -P -K:`,
    `  consume   kcat -b ${broker} -t greetings -C -o beginning -e -f '%p %o %k %s\\n'`,
  ]
  if (http !== null) {
    lines.push(`  metrics   curl http://${http}/metrics | grep page_cache`)
  }
  if (dataPath === 'node') {
    lines.push(
      '  The native addon is not at work: this is the TypeScript fallback, correct and slow.',
    )
  }
  return [...lines, ''].join('\n')
}
