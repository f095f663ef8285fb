import { fixedTypes } from './fixed-types.ts'
import { isDefault } from './shape.ts'
import { refuseNull } from './writer.ts'

/**
 * JavaScript in the making: functions that call each other by name, and the values they refer to. Its source is
 * made of our own tables only, never of anything from the network.
 */
export class Program {
  readonly #functions: string[] = []
  readonly #constants: unknown[] = []

  /** Adds a function; returns its name. */
  add(parameters: string, lines: readonly string[]): string {
    const name = `f${this.#functions.length}`
    const body = lines.map(line => `  ${line}\n`).join('')
    this.#functions.push(`function ${name}(${parameters}) {\n${body}}`)
    return name
  }

  /** Source that gives `value`. */
  constant(value: unknown): string {
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    if (typeof value === 'string' || value === null) return JSON.stringify(value)
    return `c${this.#constants.push(value) - 1}`
  }

  /** The function `main`, ready to run. `url` is what stacks and profiles call its file. */
  compile(main: string, url: string): unknown {
    const calls = { ...fixedTypeCalls, isDefault, refuseNull }
    const names = [...Object.keys(calls), ...this.#constants.map((_, at) => `c${at}`)]
    const source = `${this.#functions.join('\n')}\nreturn ${main}\n//# sourceURL=${url}`
    // oxlint-disable-next-line typescript/no-implied-eval -- our own source, see above
    const build = new Function(...names, source)
    return build(...Object.values(calls), ...this.#constants)
  }
}

/** Types of fixed size are read and written by `read_int32(bytes, at)` and `write_int32(bytes, at, value)`. */
const fixedTypeCalls = Object.fromEntries(
  Object.entries(fixedTypes).flatMap(([name, type]) => [
    [`read_${name}`, type.read],
    [`write_${name}`, type.write],
  ]),
)
