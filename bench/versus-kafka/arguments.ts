export type Choice =
  | { readonly names: readonly string[]; readonly rounds: number }
  | { readonly problem: string }

/** What `[SCENARIO ...] [ROUNDS]` asks for: without a name all there are, without a number three rounds. */
export function chosen(args: readonly string[], all: readonly string[]): Choice {
  const last = args.at(-1) ?? ''
  const isNumber = /^\d+$/.test(last)
  const rounds = isNumber ? Number(last) : 3
  const names = isNumber ? args.slice(0, -1) : args
  const unknown = names.find(name => !all.includes(name))
  if (unknown !== undefined) {
    return { problem: `There is no scenario ${unknown}; there are ${all.join(', ')}.` }
  }
  if (rounds < 1) return { problem: 'ROUNDS is a number from 1 on.' }
  return { names: names.length === 0 ? all : all.filter(name => names.includes(name)), rounds }
}
