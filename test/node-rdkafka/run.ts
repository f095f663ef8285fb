import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureClients } from '../../tools/clients.ts'
import { ensureTestRunner } from '../../tools/librdkafka.ts'
import { report } from './report.ts'
import { runSpec, specs, startSuiteBroker, type Result, type Spec } from './suite.ts'

/**
 *     npm run qualify -- node-rdkafka              all specs, and writes docs/node-rdkafka.md
 *     npm run qualify -- node-rdkafka --quick      what CI runs of them
 *     npm run qualify -- node-rdkafka both groups  some
 *
 * What mocha and the broker said is in `.cache/node-rdkafka-logs/`. Exits 1 where a test failed.
 */
async function main(args: readonly string[]): Promise<number> {
  const why = ensureTestRunner() ?? whyNoKit()
  if (why !== null) {
    console.log(`No node-rdkafka: ${why}`)
    return 1
  }
  const wanted = args.filter(arg => !arg.startsWith('--'))
  const isQuick = args.includes('--quick')
  mkdirSync(logs, { recursive: true })
  const results: Result[] = []
  for (const spec of specs) {
    if (wanted.length > 0 && !wanted.includes(spec.name)) continue
    const ran = await runAlone(spec, { isQuick, isQuiet: true })
    for (const { title, isPassed, remark } of ran) {
      console.log(`${spec.name}: ${title}: ${isPassed ? 'pass' : `FAIL ${remark}`}`)
    }
    results.push(...ran)
  }
  const failed = results.filter(({ isPassed }) => !isPassed)
  if (wanted.length === 0 && !isQuick) {
    const asItIs = await runAlone(bothSpec, { isQuick, isQuiet: false })
    const dataPath = process.env['LOGCLUSTER_NATIVE'] === 'off' ? 'fallback' : 'native'
    writeFileSync(join(root, 'docs/node-rdkafka.md'), report(results, { asItIs, dataPath }))
  }
  console.log(`${results.length - failed.length} passed, ${failed.length} failed`)
  return failed.length > 0 ? 1 : 0
}

const root = join(import.meta.dirname, '../..')
const logs = join(root, '.cache/node-rdkafka-logs')
const bothSpec = specs.find(({ name }) => name === 'both')!

function whyNoKit(): string | null {
  return ensureClients().find(({ name }) => name === 'node-rdkafka')?.why ?? null
}

/** In a mocha of its own, on a broker of its own. */
async function runAlone(
  spec: Spec,
  options: { readonly isQuick: boolean; readonly isQuiet: boolean },
): Promise<readonly Result[]> {
  await using broker = await startSuiteBroker()
  const { results, output } = await runSpec(spec, broker.address, options)
  const name = options.isQuiet ? spec.name : `${spec.name}-as-it-is`
  writeFileSync(join(logs, `${name}.log`), `${output}\n--- broker ---\n${broker.output}`)
  return results
}

process.exitCode = await main(process.argv.slice(2))
