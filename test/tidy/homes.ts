import type { Source } from './sources.ts'

/** Names under which several files have the same value by chance, or because each is a word of its own. */
const apart: Readonly<Record<string, string>> = {
  mebibyte: 'a word',
  freezeConfig: 'the name of a setting, as it stands wherever that is spoken of',
  periodMs: 'several things that happen to be done every five seconds',
  timeoutMs: 'each of another request',
  requestTimeoutMs: 'each of another command',
  pollMs: 'each of another file',
  trustMs: 'each of another thing that is believed for a while',
  chunkBytes: 'each of another thing that is cut',
  payloadBytesMax: 'what etcd takes, and what a ConfigMap holds',
  blocksMax: "each of another codec's frame",
}

/** A number of three digits or more, or a text, that has a name at the top of a file. */
const named =
  /^(?:export )?const (\w+)(?:: [^=\n]+)? = (-?\d[\d_]{2,}(?: \* \d[\d_]*)*|'[^'\n]{6,}')$/gm

/** One line for each named value that two files have: it needs one home, from which the others take it. */
export function secondHomes(sources: readonly Source[]): string[] {
  const homes = new Map<string, string[]>()
  for (const { path, text } of sources) {
    for (const { 1: name, 2: value } of text.matchAll(named)) {
      if (name! in apart) continue
      const key = `${name} = ${value!.replaceAll('_', '')}`
      homes.set(key, [...(homes.get(key) ?? []), path])
    }
  }
  return [...homes]
    .filter(([, paths]) => paths.length > 1)
    .map(([key, paths]) => `${key} stands in ${paths.join(' and ')}: give it one home`)
}
