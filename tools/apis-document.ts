import { readFileSync } from 'node:fs'
import { absentApis } from '../src/broker/handlers/absent-apis.ts'
import { refusedApis } from '../src/broker/handlers/index.ts'
import { apiByKey } from '../src/broker/wire/messages/index.ts'

/** Key, lowest and highest version of every API that Apache Kafka 4.3.1 lists in ApiVersions: one broker, security off. */
const file = new URL('kafka-4.3.1-apis.json', import.meta.url)
export const kafkaApis = JSON.parse(readFileSync(file, 'utf8')) as readonly [
  key: number,
  min: number,
  max: number,
][]

const compatibility = new URL('../docs/compatibility.md', import.meta.url)
const begin = '<!-- written by tools/generate-docs.ts from here on -->'

/** docs/compatibility.md, with what becomes of every API that Kafka lists at its end. */
export function compatibilityDocument(): string {
  const [written = ''] = readFileSync(compatibility, 'utf8').split(begin)
  return `${written}${begin}\n\n${apisSection()}`
}

function apisSection(): string {
  const rows = kafkaApis.map(([key, min, max]) => {
    const { name, here, what } = fate(key)
    return `| ${key} | ${name} | ${versions(min, max)} | ${here} | ${what} |`
  })
  return [
    '## Every API that Apache Kafka 4.3.1 lists',
    '',
    '*Served*: answered with what is true of one broker. *Refused*: answered with that',
    'error, as Kafka does with security off, or for the reason given. *Unlisted*: ApiVersions does not name it, so clients do',
    'without; one that asks all the same has its connection closed, and the log says what to change.',
    '',
    '| key | API | Kafka | here | |',
    '|--:|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

interface Fate {
  readonly name: string
  readonly here: string
  readonly what: string
}

function fate(key: number): Fate {
  const absent = absentApis.get(key)
  if (absent !== undefined) {
    const { name, because, remedy } = absent
    const what = `unlisted, because ${because}${remedy === '' ? '' : `; ${remedy}`}`
    return { name, here: '-', what }
  }
  const api = apiByKey(key)
  if (api === undefined)
    throw new Error(`API ${key} is neither in the tables nor in absent-apis.ts`)
  const { name, versions: own, advertisedMin } = api
  const here = versions(advertisedMin ?? own[0], own[1])
  const refused = refusedApis.find(({ handler }) => handler.api.key === key)
  const what =
    refused === undefined ? 'served' : `refused with ${refused.error}: ${refused.because}`
  return { name, here, what }
}

function versions(min: number, max: number): string {
  return min === max ? String(min) : `${min}-${max}`
}
