/**
 * Asks Apache Kafka everything that test/differential asks, and keeps its answers for the replay:
 *
 *     node test/differential/record.ts [THEME...]         records anew, and prints what changed
 *     node test/differential/record.ts --live [THEME...]  asks Kafka and us, and prints where we differ; writes nothing
 */
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { startKafka } from '../../tools/kafka.ts'
import { startBroker } from '../helpers/broker.ts'
import { type Answers, askThemes } from './ask-all.ts'
import { differences } from './compare.ts'
import { makeKeyRequests } from './key-requests.ts'
import { readRecorded, type Recorded, writeRecorded } from './recorded.ts'
import { keyRequestsFile } from './requests/keys.ts'
import { themes } from './scenarios.ts'
import { kafkaSettings, sameSettings } from './settings.ts'

const live = process.argv.includes('--live')
const named = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
const chosen = Object.keys(themes).filter(theme => named.length === 0 || named.includes(theme))

await main()

async function main(): Promise<void> {
  const unknown = named.filter(theme => !(theme in themes))
  if (unknown.length > 0) {
    const all = Object.keys(themes).join(', ')
    throw new Error(`No theme: ${unknown.join(', ')}. There are ${all}.`)
  }
  if (!live) renewKeyRequests()
  const kafkas = await askKafka()
  if (!live) return chosen.forEach(theme => renew(theme, kafkas[theme]!))
  const ours = await askUs()
  for (const theme of chosen) show(ours[theme]!, kafkas[theme]!)
}

type ByTheme = Readonly<Record<string, Recorded>>

/** In memory where that can be: the files of hundreds of topics are made and removed. */
async function askKafka(): Promise<ByTheme> {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
  const kafka = await startKafka({ properties: kafkaSettings, heapMiB: 768, parent })
  try {
    return await asked(Number(kafka.address.split(':').at(-1)))
  } catch (error) {
    console.error(kafka.output().slice(-5000))
    throw error
  } finally {
    await kafka.stop()
  }
}

async function askUs(): Promise<ByTheme> {
  await using broker = await startBroker({ settings: sameSettings })
  return await asked(broker.port)
}

async function asked(port: number): Promise<ByTheme> {
  const found: Record<string, Record<string, Answers>> = {}
  await askThemes(chosen, port, (theme, scenario, answers) => {
    ;(found[theme] ??= {})[scenario] = answers
  })
  return found
}

function renewKeyRequests(): void {
  const requests = makeKeyRequests()
  if (requests === null) return console.log("No declarations of Apache's here: key requests stay")
  const lines = requests.map(request => JSON.stringify(request))
  writeFileSync(keyRequestsFile, `[\n${lines.join(',\n')}\n]\n`)
}

function renew(theme: string, recorded: Recorded): void {
  const before = readRecorded(theme)
  writeRecorded(theme, recorded)
  if (before === null) return console.log(`${theme}: new`)
  show(before, recorded, ['before', 'now'])
}

function show(these: Recorded, those: Recorded, [one, other] = ['ours', "Kafka's"]): void {
  for (const scenario of new Set([...Object.keys(these), ...Object.keys(those)])) {
    const [here, there] = [these[scenario] ?? {}, those[scenario] ?? {}]
    for (const label of new Set([...Object.keys(here), ...Object.keys(there)])) {
      const found = differences(here[label], there[label])
      for (const { path, ours, kafkas } of found) {
        const values = `${one} ${JSON.stringify(ours)}, ${other} ${JSON.stringify(kafkas)}`
        console.log(`${scenario} | ${label} | ${path} | ${values}`)
      }
    }
  }
}
