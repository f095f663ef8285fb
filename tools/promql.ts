import { parser } from '@prometheus-io/lezer-promql'
import type { SyntaxNode } from '@lezer/common'

/** A selector of series in an expression. */
export interface Selector {
  readonly metric: string
  /** Each matcher as it stands there, such as `job=~"$job"`. */
  readonly matchers: readonly string[]
  /** What is in brackets behind it, or null for an instant. */
  readonly range: string | null
  /** The function that it is an argument of, or null. */
  readonly of: string | null
}

/** What stands for Grafana's macros, which are no durations of PromQL. */
const durations = [
  { macro: '$__rate_interval', stand: '9876s' },
  { macro: '$__range', stand: '9875s' },
]

function withDurations(expr: string): string {
  return durations.reduce((text, { macro, stand }) => text.replaceAll(macro, stand), expr)
}

function withMacros(text: string): string {
  return durations.reduce((expr, { macro, stand }) => expr.replaceAll(stand, macro), text)
}

/** What in `expr` is not PromQL, each with its place; Grafana's variables may stand in strings. */
export function syntaxErrorsIn(expr: string): string[] {
  const text = withDurations(expr)
  const errors: string[] = []
  parser.parse(text).iterate({
    enter: node => {
      if (node.type.isError)
        errors.push(`at ${node.from}: ${text.slice(node.from, node.from + 20)}`)
    },
  })
  return errors
}

/** Every selector in `expr`, in order. */
export function selectorsIn(expr: string): Selector[] {
  const text = withDurations(expr)
  const found: Selector[] = []
  parser.parse(text).iterate({
    enter: ({ name, node }) => {
      if (name === 'VectorSelector') found.push(selectorAt(node, text))
    },
  })
  return found
}

function selectorAt(node: SyntaxNode, text: string): Selector {
  const textOf = (at: SyntaxNode | null | undefined): string =>
    at ? text.slice(at.from, at.to) : ''
  const matrix = node.parent?.name === 'MatrixSelector' ? node.parent : null
  const range = matrix === null ? null : /\[(.*)\]$/.exec(textOf(matrix))![1]!
  const call = (matrix ?? node).parent?.parent
  return {
    metric: textOf(node.getChild('Identifier')),
    matchers: (node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map(
      textOf,
    ),
    range: range === null ? null : withMacros(range),
    of: call?.name === 'FunctionCall' ? textOf(call.getChild('FunctionIdentifier')) : null,
  }
}
