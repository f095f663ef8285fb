import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'

/** With version 2 there is one tree, else one for each controller, and perhaps a `unified` one beside them. */
function trees(): string[] {
  if (existsSync(join(root, 'cgroup.controllers'))) return [root]
  return readdirSync(root)
    .filter(name => existsSync(join(root, name, 'cgroup.procs')))
    .map(name => join(root, name))
}

/** Makes the group that a node's kubelet puts everything into. */
export function makeGroup(name: string): void {
  for (const tree of trees()) {
    const group = join(tree, name)
    mkdirSync(group, { recursive: true })
    // A new group of processors has none, and no process may enter.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (tree !== root && existsSync(join(group, file))) {
        writeFileSync(join(group, file), readFileSync(join(tree, file)))
      }
    }
  }
}

/** Every process in a group and in those beneath it. */
export function processesIn(name: string): number[] {
  const pids = groupsUnder(name).flatMap(group =>
    unlessGone(() => readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n'), [])
      .filter(Boolean)
      .map(Number),
  )
  return [...new Set(pids)]
}

/** Removes a group whose processes have ended, and those beneath it. */
export function removeGroup(name: string): void {
  for (const group of groupsUnder(name)) rmdirSync(group)
}

/** Deepest first. */
function groupsUnder(name: string): string[] {
  return trees()
    .map(tree => join(tree, name))
    .filter(group => existsSync(group))
    .flatMap(withChildren)
}

function withChildren(group: string): string[] {
  const children = unlessGone(() => readdirSync(group, { withFileTypes: true }), []).filter(entry =>
    entry.isDirectory(),
  )
  return [...children.flatMap(({ name }) => withChildren(join(group, name))), group]
}

/** What `read` finds in a group; whoever ends a container removes its groups, also between a look and the next. */
function unlessGone<Found>(read: () => Found, otherwise: Found): Found {
  try {
    return read()
  } catch (error) {
    // cgroups(7): a group that was removed while it was open has no device any more.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error
    return otherwise
  }
}
