import { posix } from 'node:path'
import { circlesOf } from './circles.ts'
import { lineAt, type Source } from './sources.ts'

/** A module of C: `x.c` with `x.h`, or one of them alone. */
export interface Module {
  readonly name: string
  /** Functions that others may call. */
  readonly functions: readonly string[]
  /** Modules that it includes or whose functions it names. */
  readonly uses: readonly string[]
}

/** The modules of `native/` and what they use. */
export function modulesOf(sources: readonly Source[]): Module[] {
  const texts = new Map<string, string>()
  for (const { path, text } of sources) {
    const name = posix.basename(path).replace(/\.[ch]$/, '')
    texts.set(name, `${texts.get(name) ?? ''}\n${withoutComments(text)}`)
  }
  const names = [...texts.keys()]
  const functions = new Map([...texts].map(([name, text]) => [name, functionsOf(text)]))
  return names.map(name => {
    const text = texts.get(name)!
    const words = new Set(withoutStrings(text).match(/\b[a-z_]\w*\b/g))
    const included = includesOf(text)
    const uses = names.filter(other => {
      return included.has(other) || functions.get(other)!.some(each => words.has(each))
    })
    return {
      name,
      functions: functions.get(name)!,
      uses: uses.filter(other => other !== name),
    }
  })
}

/** One line for each circle of modules that include or call each other. */
export function nativeCircles(sources: readonly Source[]): string[] {
  return circlesOf(new Map(modulesOf(sources).map(({ name, uses }) => [name, uses])))
}

/** One line for each number that C defines by name and TypeScript writes again. */
export function writtenTwice(native: readonly Source[], ours: readonly Source[]): string[] {
  const names = new Map<number, string>()
  for (const { text } of native) {
    for (const [name, value] of constantsOf(withoutComments(text))) names.set(value, name)
  }
  return ours.flatMap(({ path, text }) => {
    const code = withoutStrings(withoutComments(text))
    return [...code.matchAll(number)].flatMap(match => {
      const name = names.get(valueOf(match[0]))
      if (name === undefined) return []
      return [
        `${path}:${lineAt(code, match.index)}: ${match[0]} is ${name} of C; read it from there`,
      ]
    })
  })
}

/** Below this a number says too little to be the same one. */
const leastNumber = 3
/** A place in a list, `[3]`, is no constant. */
const number = /(?<![\w.[])(?:0x[\da-f_]+|\d[\d_]*)(?![\w.])/gi

function valueOf(literal: string): number {
  return Number(literal.replaceAll('_', ''))
}

/** Names of an `enum` with the value that is given to them, where that is plain numbers. */
export function constantsOf(code: string): [name: string, value: number][] {
  return [...code.matchAll(/\benum\b[^{};]*\{([^}]*)\}/g)].flatMap(([, members]) =>
    [...members!.matchAll(/\b([A-Z]\w*)\s*=\s*([\da-fx* ]+)(?=,|\s*$)/g)].flatMap(
      ([, name, value]): [string, number][] => {
        const product = value!.split('*').reduce((all, part) => all * Number(part.trim()), 1)
        return product < leastNumber ? [] : [[name!, product]]
      },
    ),
  )
}

/** Definitions begin a line, and those of `static` functions with that word. */
function functionsOf(text: string): string[] {
  const definitions = text.matchAll(/^([A-Za-z_][\w \t*]*?[ *])([a-z]\w*)\([^;{}]*\)\s*\{/gm)
  return [...definitions].flatMap(([, before, name]) => (before!.includes('static') ? [] : [name!]))
}

function includesOf(text: string): Set<string> {
  return new Set([...text.matchAll(/^#include "([\w-]+)\.h"/gm)].map(([, name]) => name!))
}

/** Comments turn into blanks of the same lines. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, comment =>
    comment.replaceAll(/[^\n]/g, ' '),
  )
}

function withoutStrings(text: string): string {
  return text.replaceAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, string => {
    return string.replaceAll(/[^\n]/g, ' ')
  })
}
