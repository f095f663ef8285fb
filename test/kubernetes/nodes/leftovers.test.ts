import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clusterNames, folderOf } from '../cluster-folder.ts'
import { removeCluster, startCluster } from '../cluster.ts'
import { command } from '../node/command.ts'
import { readTopology } from '../node-cluster.ts'
import { processesOf } from '../processes.ts'
import { describeOnNodes } from './shared.ts'

/** What of the machine has to do with a cluster, by the index of its addresses. */
function tracesOf(folder: string, index: number): Readonly<Record<string, readonly string[]>> {
  const groups = readdirSync('/sys/fs/cgroup', { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .flatMap(({ name }) => [name, ...readdirSync(join('/sys/fs/cgroup', name))])
  const lines = (text: string): string[] => text.split('\n')
  const own = new RegExp(String.raw`\blc${index}-|198\.1[89]\.${index}\.|198\.18\.${128 + index}\.`)
  return {
    processes: processesOf(folder).map(String),
    mounts: lines(readFileSync('/proc/mounts', 'utf8')).filter(line => line.includes(folder)),
    namespaces: lines(command('ip', 'netns', 'list')).filter(line => own.test(line)),
    links: lines(command('ip', '-brief', 'link')).filter(line => own.test(line)),
    routes: lines(command('ip', 'route')).filter(line => own.test(line)),
    groups: [...new Set(groups)].filter(name => own.test(name)),
  }
}

describeOnNodes('a second cluster', () => {
  test('runs beside the first, and nothing of it is left when it is removed by its name', async () => {
    const name = `second-${process.pid}`
    const folder = folderOf(name)
    // As where the test is killed: nobody disposes of it.
    await startCluster({ name })
    const { index } = readTopology(folder)!
    const there = tracesOf(folder, index)
    expect(Object.entries(there).filter(([, traces]) => traces.length === 0)).toEqual([])
    await removeCluster(name)
    const nothing = Object.fromEntries(Object.keys(there).map(what => [what, []]))
    expect(tracesOf(folder, index)).toEqual(nothing)
    expect(clusterNames()).not.toContain(name)
  })
})
