import { lineAt, type Source } from './sources.ts'

/** A rule by its letter and number: `G21` and `I-8` of the protocol, `R1b`, `I3`, `Q5` of durability. */
const mark = String.raw`\b(?:G|I-?|L|Q|R)\d+[a-z]?\b`
const section = String.raw`\d+(?:\.\d+)+|${mark}`
/** Between two words of a sentence, over the end of a line of a comment too. */
const gap = String.raw`(?:[ \t]|\n[ \t]*(?:\*|//|#)?)+`
const document = String.raw`(?<![\w./-])[\w./-]*\w\.md\b`

const marks = new RegExp(mark, 'g')
const documents = new RegExp(document, 'g')
/** `durability.md 3.4`, `durability.md 3.1 and 3.3`. */
const sections = new RegExp(
  `(${document})\`?${gap}((?:${section})(?:(?:,|${gap}and)${gap}(?:${section}))*)`,
  'g',
)
const decisions = new RegExp(String.raw`\bdecision${gap}(\d{4})\b`, 'gi')

/** Documents whose lines are there because code cites them, and for no other reason. */
const rules = ['docs/protocol-notes.md', 'docs/durability.md']

interface Citation {
  readonly at: number
  /** The document as it is written; null for a mark alone, which may stand in any of `rules`. */
  readonly document: string | null
  readonly label: string | null
}

/** One line for each citation in `sources` that leads nowhere: a document, section, mark or decision. */
export function lostCitations(sources: readonly Source[], known: readonly Source[]): string[] {
  const labels = new Map(known.map(source => [source.path, labelsOf(source)]))
  return sources.flatMap(({ path, text }) =>
    citationsIn(text)
      .filter(citation => !isThere(citation, labels))
      .map(({ at, document, label }) => {
        const what = [document, label].filter(word => word !== null).join(' ')
        return `${path}:${lineAt(text, at)}: ${what} leads nowhere; ${homeOf(document)}`
      }),
  )
}

function homeOf(document: string | null): string {
  return document === null
    ? `give it its line in ${rules.join(' or ')}`
    : 'name a document of the repository, and what stands in it'
}

/** One line for each rule that nothing cites outside of the documents of rules. */
export function uncitedRules(sources: readonly Source[], known: readonly Source[]): string[] {
  const cited = new Set(
    sources
      .filter(({ path }) => !rules.includes(path))
      .flatMap(({ text }) => citationsIn(text).map(({ label }) => label)),
  )
  return known
    .filter(({ path }) => rules.includes(path))
    .flatMap(source =>
      [...labelsOf(source)]
        .filter(label => !cited.has(label))
        .map(
          label => `${source.path}: nothing cites ${label}; the rule goes with its last citation`,
        ),
    )
}

function citationsIn(text: string): Citation[] {
  const inDocuments = [...text.matchAll(sections)].flatMap(({ index: at, 1: name, 2: list }) =>
    [...list!.matchAll(new RegExp(section, 'g'))].map(([label]) => ({
      at,
      document: name!,
      label,
    })),
  )
  const alone = [...text.matchAll(marks)].map(({ index: at, 0: label }) => ({
    at,
    document: null,
    label,
  }))
  const whole = [...text.matchAll(documents)].map(({ index: at, 0: name }) => ({
    at,
    document: name,
    label: null,
  }))
  const decided = [...text.matchAll(decisions)].map(({ index: at, 1: number }) => ({
    at,
    document: `docs/decisions/${number}`,
    label: null,
  }))
  return [...inDocuments, ...alone, ...whole, ...decided]
}

/** What begins a section, `### 3.4 A title`, or an entry of a list, `- **G21** a rule`. */
function labelsOf({ text }: Source): Set<string> {
  const entry = new RegExp(String.raw`^(?:###+ |- \*\*)(${section})(?:\*\*)? `, 'gm')
  return new Set([...text.matchAll(entry)].map(match => match[1]!))
}

function isThere(
  { document, label }: Citation,
  labels: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  const homes = [...labels].filter(([path]) =>
    document === null ? rules.includes(path) : isNamed(path, document),
  )
  return label === null ? homes.length > 0 : homes.some(([, lines]) => lines.has(label))
}

/** By the end of its path, as links and comments name it, or a decision by its number. */
function isNamed(path: string, name: string): boolean {
  const wanted = name.replace(/^(?:\.{1,2}\/)+/, '')
  if (!wanted.endsWith('.md')) return path.startsWith(`${wanted}-`)
  return endsWith(path, wanted)
}

/** A word of a document in backticks that looks like a path; one with a placeholder in it is none. */
const quotedPath =
  /`((?!\.\/|node_modules)[\w.-]+(?:\/[\w.-]+)+|[\w-]+(?:\.test)?\.(?:ts|mjs|c|h))`/g
const placeholder = /\b(?:NN|NAME|FILE|DATE|SEED)\b/

/** One line for each path in backticks that is neither a file of `paths`, nor a folder, nor the end of one. */
export function lostPaths(sources: readonly Source[], paths: readonly string[]): string[] {
  const folders = paths.flatMap(path =>
    [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index)),
  )
  const known = [...new Set([...paths, ...folders])]
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(quotedPath)]
      .filter(([, name]) => !placeholder.test(name!) && !known.some(one => endsWith(one, name!)))
      .map(({ index, 1: name }) => `${path}:${lineAt(text, index)}: there is no ${name}`),
  )
}

function endsWith(path: string, name: string): boolean {
  return path === name || path.endsWith(`/${name}`)
}
