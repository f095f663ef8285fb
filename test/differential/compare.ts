import { isList, isStruct, type Json } from './json.ts'

/** One place where two answers differ. */
export interface Difference {
  /** `topics[a-topic].partitions[0].errorCode`: elements of a list by their name where they have one, else by place. */
  readonly path: string
  /** undefined: this side has nothing there. */
  readonly ours: Json | undefined
  readonly kafkas: Json | undefined
}

/** Every place where two answers differ; none where they are the same. */
export function differences(ours: Json | undefined, kafkas: Json | undefined): Difference[] {
  return between('', ours, kafkas)
}

function between(path: string, ours: Json | undefined, kafkas: Json | undefined): Difference[] {
  if (isList(ours) && isList(kafkas)) return ofLists(path, ours, kafkas)
  if (isStruct(ours) && isStruct(kafkas)) {
    const names = new Set([...Object.keys(ours), ...Object.keys(kafkas)])
    return [...names].flatMap(name => {
      const at = path === '' ? name : `${path}.${name}`
      return between(at, ours[name], kafkas[name])
    })
  }
  return Object.is(ours, kafkas) ? [] : [{ path, ours, kafkas }]
}

/** Elements are matched by name where both lists have names that occur once; then their order counts too. */
function ofLists(path: string, ours: readonly Json[], kafkas: readonly Json[]): Difference[] {
  const key = keyOf(ours, kafkas)
  if (key === null) {
    const length = Math.max(ours.length, kafkas.length)
    return Array.from({ length }, (_, at) => between(`${path}[${at}]`, ours[at], kafkas[at])).flat()
  }
  const named = (list: readonly Json[]) => new Map(list.map(of => [nameIn(of, key)!, of]))
  const [here, there] = [named(ours), named(kafkas)]
  const names = new Set([...here.keys(), ...there.keys()])
  const found = [...names].flatMap(name => {
    return between(`${path}[${name}]`, here.get(name), there.get(name))
  })
  const ourOrder = [...here.keys()].filter(name => there.has(name)).join(', ')
  const kafkasOrder = [...there.keys()].filter(name => here.has(name)).join(', ')
  if (ourOrder === kafkasOrder) return found
  return [...found, { path: `${path} in order`, ours: ourOrder, kafkas: kafkasOrder }]
}

/** What names the elements of a list, strongest first. */
export const keys: readonly string[] = [
  'name',
  'topic',
  'topicName',
  'groupId',
  'partitionIndex',
  'partition',
  'partitionId',
  'index',
  'apiKey',
  'brokerId',
  'nodeId',
  'resourceName',
  'feature',
  'user',
  'key',
  'transactionalId',
]

function keyOf(...lists: readonly (readonly Json[])[]): string | null {
  const isUnique = (key: string) =>
    lists.every(list => {
      const names = new Set(list.map(of => nameIn(of, key)))
      return names.size === list.length && !names.has(null)
    })
  return keys.find(key => lists.some(list => list.length > 0) && isUnique(key)) ?? null
}

/** What a field of an element says; null where it says nothing that could name it. */
export function nameIn(element: Json, key: string): string | null {
  const name = isStruct(element) ? element[key] : undefined
  return typeof name === 'string' || typeof name === 'number' ? String(name) : null
}
