/**
 * Asks Apache Kafka everything that test/differential asks, and keeps its answers for the replay:
 *
 *     node test/differential/record.ts [THEME...]         records anew, and prints what changed
 *     node test/differential/record.ts --live [THEME...]  asks Kafka and us; writes nothing, and prints where we differ but
 *                                                         should not, or no longer do. Exits 1 where it printed anything
 *     node test/differential/record.ts --brokers 3        records anew what three nodes of Kafka answer
 */
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { startKafka } from '../../tools/kafka.ts'
import { startBroker } from '../helpers/broker.ts'
import { type Answers, askThemes } from './ask-all.ts'
import { differences } from './compare.ts'
import { type Found, Judge, textOf } from './deviation.ts'
import { deviations } from './deviations.ts'
import { makeKeyRequests } from './key-requests.ts'
import { readRecorded, type Recorded, writeRecorded } from './recorded.ts'
import { keyRequestsFile } from './requests/keys.ts'
import { themes } from './scenarios.ts'
import { askThreeOfKafka, severalTheme } from './several.ts'
import { kafkaSettings, sameSettings } from './settings.ts'

const live = process.argv.includes('--live')
const isOfThree = process.argv.includes('--brokers')
const named = process.argv
  .slice(2)
  .filter(argument => !argument.startsWith('--') && argument !== '3')
const chosen = Object.keys(themes).filter(theme => named.length === 0 || named.includes(theme))

await main()

async function main(): Promise<void> {
  if (isOfThree) return writeRecorded(severalTheme, await askThreeOfKafka())
  const unknown = named.filter(theme => !(theme in themes))
  if (unknown.length > 0) {
    const all = Object.keys(themes).join(', ')
    throw new Error(`No theme: ${unknown.join(', ')}. There are ${all}.`)
  }
  if (!live) renewKeyRequests()
  const kafkas = await askKafka()
  if (!live) return chosen.forEach(theme => renew(theme, kafkas[theme]!))
  const ours = await askUs()
  judge(chosen.flatMap(theme => [...found(ours[theme]!, kafkas[theme]!)]))
}

/** By the list of what differs on purpose, as the suite judges what was recorded. */
function judge(all: readonly Found[]): void {
  const by = new Judge(deviations)
  const names = chosen.flatMap(theme => themes[theme]!.map(({ name }) => name))
  const unexplained = names.flatMap(name =>
    by.unexplained(
      name,
      all.filter(({ scenario }) => scenario === name),
    ),
  )
  // An entry may be about scenarios of themes that were not asked.
  const stale = named.length === 0 ? by.stale() : []
  unexplained.forEach(each => print(each))
  for (const { scenario, request, field } of stale) {
    console.log(`No longer: ${scenario} | ${request} | ${field}`)
  }
  const counts = `${all.length} differences, ${unexplained.length} of them not listed`
  console.log(`${counts}; ${stale.length} listed that were not found`)
  if (unexplained.length + stale.length > 0) process.exitCode = 1
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
  for (const each of found(before, recorded)) print(each, 'before', 'now')
}

function* found(these: Recorded, those: Recorded): Iterable<Found> {
  for (const scenario of new Set([...Object.keys(these), ...Object.keys(those)])) {
    const [here, there] = [these[scenario] ?? {}, those[scenario] ?? {}]
    for (const request of new Set([...Object.keys(here), ...Object.keys(there)])) {
      for (const each of differences(here[request], there[request])) {
        yield { scenario, request, ...each }
      }
    }
  }
}

function print(found: Found, one = 'ours', other = "Kafka's"): void {
  const { scenario, request, path, ours, kafkas } = found
  const values = `${one} ${textOf(ours)}, ${other} ${textOf(kafkas)}`
  console.log(`${scenario} | ${request} | ${path} | ${values}`)
}
