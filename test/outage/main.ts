import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Etcd } from '../helpers/etcd.ts'
import { loseStore, type OutageResult } from './outage.ts'
import { etcdOutage, folderOutage } from './stores.ts'

/**
 * `npm run qualify -- outage [--seconds 300] [--store files|etcd]`: three brokers lose their metadata store, and nobody who writes may notice.
 * Adds itself to the runs of that store in `docs/qualification/outage-DATE.json`, and exits with 1 where a request failed, also after the store was back.
 */
async function main(): Promise<number> {
  const date = new Date().toISOString()
  const folder = join(import.meta.dirname, '../../docs/qualification')
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '300' },
      store: { type: 'string', default: 'files' },
      out: { type: 'string', default: join(folder, `outage-${date.slice(0, 10)}.json`) },
    },
  })
  if (values.store !== 'files' && values.store !== 'etcd') {
    console.error(`There is no store ${values.store} here, only files and etcd.`)
    return 1
  }
  const result = await lose(values.store, Number(values.seconds))
  console.log(result)
  const before = existsSync(values.out)
    ? (JSON.parse(readFileSync(values.out, 'utf8')) as Record<string, unknown[]>)
    : {}
  const commit = git('rev-parse', 'HEAD')
  const told = { date, commit, loadAtEnd: loadavg()[0]!, ...result }
  const runs = [...(before[values.store] ?? []), told]
  writeFileSync(values.out, `${JSON.stringify({ ...before, [values.store]: runs }, null, 2)}\n`)
  const { failures, failuresAfter, lost, elections, electionsAfter } = result
  const bad = failures.length + failuresAfter.length + lost + elections + electionsAfter
  return bad === 0 ? 0 : 1
}

async function lose(store: 'files' | 'etcd', seconds: number): Promise<OutageResult> {
  if (store === 'files') return await loseStore(folderOutage, seconds)
  const etcd = await Etcd.start()
  try {
    return await loseStore(etcdOutage(etcd), seconds)
  } finally {
    await etcd.end()
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
}

process.exitCode = await main()
