import { KubectlError, type Kubectl } from '../../src/cli/kubectl/kubectl.ts'

/** A kubectl that answers from a table: the words of a call, joined by blanks, begin with a key of `answers`. */
export class StubKubectl implements Kubectl {
  /** Every call, its words joined by blanks. */
  readonly calls: string[] = []
  /** What calls were given on standard input. */
  readonly inputs: string[] = []
  readonly #answers: Readonly<Record<string, object | string>>

  constructor(answers: Readonly<Record<string, object | string>>) {
    this.#answers = answers
  }

  /** The changes that were asked for: what was patched, and by what. */
  get patches(): { readonly target: string; readonly change: unknown }[] {
    return this.calls
      .filter(call => call.startsWith('patch '))
      .map(call => {
        const [target, change] = call.slice('patch '.length).split(' --type=merge --patch ')
        return { target: target!, change: JSON.parse(change!) as unknown }
      })
  }

  run(args: readonly string[], input?: string): Promise<string> {
    const call = args.join(' ')
    this.calls.push(call)
    if (input !== undefined) this.inputs.push(input)
    const key = Object.keys(this.#answers).find(known => call.startsWith(known))
    if (key === undefined) {
      return Promise.reject(new KubectlError(`Error from server (Forbidden): ${call}`))
    }
    const answer = this.#answers[key]!
    return Promise.resolve(typeof answer === 'string' ? answer : JSON.stringify(answer))
  }
}
