import { posix } from 'node:path'
import { isTest, type Source } from './sources.ts'

/** How the paragraph begins that says what a room promises, in the file by which others come in. */
const words = 'The front door of the room: '

/** Rooms without one door, and why. */
export const withoutDoor: Readonly<Record<string, string>> = {
  'src/lib': 'words, of which each promises for itself',
  'src/env/real': 'each file is the twin of one port, and promises what the port does',
}

/** One line for each room of `places` that `page` does not name in backticks, whole or by its last folders: `wire/client`. */
export function unnamedRooms(page: string, places: readonly string[]): string[] {
  const named = new Set([...page.matchAll(/`([\w./-]+?)\/?`/g)].map(match => match[1]!))
  return places
    .filter(place => !place.endsWith('.ts'))
    .filter(place => ![...named].some(name => place === name || place.endsWith(`/${name}`)))
    .map(place => `docs/architecture.md does not name ${place}`)
}

/** One line for each room of `places` that has no front door, or several. */
export function missingDoors(sources: readonly Source[], places: readonly string[]): string[] {
  const rooms = places.filter(place => !place.endsWith('.ts') && !(place in withoutDoor))
  const doors = sources
    .filter(({ path, text }) => !isTest(path) && text.includes(words))
    .map(({ path }) => path)
  return rooms.flatMap(room => {
    const own = doors.filter(door => posix.dirname(door) === room)
    if (own.length === 1) return []
    if (own.length > 1) return [`${room} has several front doors: ${own.join(', ')}`]
    return [`${room} has no file that says what it promises: "${words}..."`]
  })
}
