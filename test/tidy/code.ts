/**
 * `text` with the insides of comments, strings and regular expressions blanked out, so that a rule about
 * code does not trip over a sentence. Positions and line breaks stay as they were. Code inside `${}` of a
 * template stays.
 */
export function codeOf(text: string): string {
  const scanner = new Scanner(text)
  scanner.code(false)
  return scanner.out.join('')
}

/** After these a slash begins a regular expression; after anything else it divides. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else))\s*$/

class Scanner {
  readonly out: string[] = []
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Copies code up to the end of the text or, inside a template, up to the brace that closes it. */
  code(inTemplate: boolean): void {
    let depth = 0
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!
      const two = this.#text.slice(this.#at, this.#at + 2)
      if (two === '//') this.#blankTo(this.#find('\n'))
      else if (two === '/*') this.#blankTo(this.#find('*/', 2) + 2)
      else if (char === '"' || char === "'") this.#quoted(char)
      else if (char === '`') this.#template()
      else if (char === '/' && this.#isRegex()) this.#regex()
      else {
        if (char === '{') depth++
        if (char === '}' && inTemplate && depth-- === 0) return
        this.#keep()
      }
    }
  }

  #keep(): void {
    this.out.push(this.#text[this.#at++]!)
  }

  #blank(): void {
    const char = this.#text[this.#at++]
    if (char !== undefined) this.out.push(char === '\n' ? '\n' : ' ')
  }

  #blankTo(end: number): void {
    while (this.#at < Math.min(end, this.#text.length)) this.#blank()
  }

  #find(what: string, skip = 0): number {
    const found = this.#text.indexOf(what, this.#at + skip)
    return found < 0 ? this.#text.length : found
  }

  #quoted(quote: string): void {
    this.#keep()
    while (this.#at < this.#text.length && this.#text[this.#at] !== quote) {
      if (this.#text[this.#at] === '\\') this.#blank()
      this.#blank()
    }
    if (this.#at < this.#text.length) this.#keep()
  }

  #template(): void {
    this.#keep()
    while (this.#at < this.#text.length && this.#text[this.#at] !== '`') {
      if (this.#text.startsWith('${', this.#at)) {
        this.#keep()
        this.#keep()
        this.code(true)
        this.#keep()
      } else {
        if (this.#text[this.#at] === '\\') this.#blank()
        this.#blank()
      }
    }
    if (this.#at < this.#text.length) this.#keep()
  }

  #isRegex(): boolean {
    return beforeRegex.test(this.out.slice(-40).join(''))
  }

  #regex(): void {
    this.#keep()
    let inClass = false
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!
      if (char === '\n' || (char === '/' && !inClass)) break
      if (char === '[') inClass = true
      if (char === ']') inClass = false
      if (char === '\\') this.#blank()
      this.#blank()
    }
    if (this.#at < this.#text.length) this.#keep()
  }
}
