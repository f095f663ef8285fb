import type { Rec } from './compacted-topic.ts'

function keyed(key: string): (version: number) => Rec {
  return version => [key, String(version)]
}

export const [a, b, c, d] = [keyed('a'), keyed('b'), keyed('c'), keyed('d')]
export const [e, f, g] = [keyed('e'), keyed('f'), keyed('g')]

export function tombstone(key: string): Rec {
  return [key, null]
}

/** So many keys that come only here, with values that compress. */
export function wide(stem: string, count: number): Rec[] {
  return Array.from({ length: count }, (_, at) => [`${stem}-${at}`, 'value '.repeat(20)])
}
