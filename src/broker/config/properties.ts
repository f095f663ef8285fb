/** One `key = value` of a properties file. */
export interface Property {
  readonly key: string
  readonly value: string
  /** Where it begins, from 1. */
  readonly line: number
}

/**
 * Reads Java's properties syntax: `key=value`, `key: value` or `key value`; `#` and `!` begin comments; a
 * backslash at the end of a line goes on with the next; `\n`, `\t`, `\uXXXX` and escaped separators.
 */
export function parseProperties(content: string): Property[] {
  const found: Property[] = []
  const lines = content.split(/\r\n|\n|\r/)
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1
    let logical = lines[at]!.trimStart()
    if (logical === '' || logical.startsWith('#') || logical.startsWith('!')) continue
    while (endsOpen(logical) && at + 1 < lines.length) {
      logical = logical.slice(0, -1) + lines[++at]!.trimStart()
    }
    found.push({ ...split(logical), line })
  }
  return found
}

/** True where an odd number of backslashes ends the line. */
function endsOpen(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1
}

function split(line: string): { key: string; value: string } {
  const match = /^((?:\\.|[^\\\s=:])*)\s*[=:]?\s*(.*)$/s.exec(line)
  return { key: unescaped(match?.[1] ?? line), value: unescaped(match?.[2] ?? '').trimEnd() }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' }

function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.))/gs,
    (_, code: string | undefined, character: string) =>
      code === undefined
        ? (escapes[character] ?? character)
        : String.fromCodePoint(Number.parseInt(code, 16)),
  )
}
