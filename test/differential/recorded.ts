import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Answers } from './ask-all.ts'
import type { Json } from './json.ts'

/** Answers of a theme's scenarios, by their names. */
export type Recorded = Readonly<Record<string, Answers>>

/** What Kafka answered to a theme when it was asked last; null where it never was. */
export function readRecorded(theme: string): Recorded | null {
  const file = fileOf(theme)
  if (!existsSync(file)) return null
  const found = JSON.parse(readFileSync(file, 'utf8')) as Recorded
  return Object.fromEntries(Object.entries(found).map(([name, of]) => [name, spelledOut(of)]))
}

/** One line an answer, in the order of the scenarios, so that a change shows as what it is. */
export function writeRecorded(theme: string, recorded: Recorded): void {
  const scenarios = Object.entries(recorded).map(([name, answers]) => {
    const lines = Object.entries(abbreviated(answers)).map(([label, answer]) => {
      return `${JSON.stringify(label)}: ${JSON.stringify(answer)}`
    })
    return `${JSON.stringify(name)}: {\n${lines.join(',\n')}\n}`
  })
  writeFileSync(fileOf(theme), `{\n${scenarios.join(',\n')}\n}\n`)
}

function fileOf(theme: string): URL {
  return new URL(`recorded/${theme}.json`, import.meta.url)
}

/** An answer that the same scenario had before is told by that one's label. */
function abbreviated(answers: Answers): Answers {
  const first = new Map<string, string>()
  return mapped(answers, (label, answer) => {
    const text = JSON.stringify(answer)
    const before = first.get(text)
    if (before !== undefined && text.length > 40) return sameAs + before
    first.set(text, label)
    return answer
  })
}

function spelledOut(answers: Answers): Answers {
  return mapped(answers, (_, answer) => {
    if (typeof answer !== 'string' || !answer.startsWith(sameAs)) return answer
    return answers[answer.slice(sameAs.length)]!
  })
}

const sameAs = 'as: '

function mapped(answers: Answers, by: (label: string, answer: Json) => Json): Answers {
  return Object.fromEntries(
    Object.entries(answers).map(([label, answer]) => [label, by(label, answer)]),
  )
}
