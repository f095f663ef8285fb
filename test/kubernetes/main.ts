import { dirname } from 'node:path'
import { clusterNames } from './cluster-folder.ts'
import { removeCluster, startCluster, startControlPlane } from './cluster.ts'
import type { ControlPlane } from './control-plane/control-plane.ts'
import type { NodeCluster } from './node-cluster.ts'
import { nodeArchive, pauseArchive } from './node/images.ts'
import { whyNoNodes } from './node/machine.ts'
import { productArchive } from './node/product-image.ts'
import { builtProgram, builtPrograms } from './programs/built.ts'
import { helmProgram, kubectlProgram } from './programs/fetched.ts'

const usage = `Usage: npm run cluster -- COMMAND
  up [NAME]                        three nodes (root)
  up [NAME] --control-plane-only   an API server with controllers and scheduler, no nodes
  down [NAME | --all]              ends a cluster and removes all of it
  list                             the clusters of this machine
  prepare [--programs-only]        builds and fetches what is missing, and says where it is
NAME is "dev" where none is given.`

/** `npm run cluster`: a cluster to play with, by the means of the tests. */
async function main(args: readonly string[]): Promise<number> {
  const [command = '', name = 'dev'] = args.filter(arg => !arg.startsWith('--'))
  switch (command) {
    case 'up':
      await up(name, args.includes('--control-plane-only'))
      return 0
    case 'down':
      for (const each of args.includes('--all') ? clusterNames() : [name]) await removeCluster(each)
      return 0
    case 'list':
      for (const each of clusterNames()) console.log(each)
      return 0
    case 'prepare':
      for (const path of preparedPrograms()) console.log(path)
      if (!args.includes('--programs-only')) {
        for (const path of preparedImages()) console.log(path)
      }
      return 0
    default:
      console.error(usage)
      return 1
  }
}

/** One after the other. */
function* preparedPrograms(): Generator<string> {
  for (const name of builtPrograms) yield builtProgram(name)
  yield kubectlProgram()
  for (const major of [3, 4] as const) yield helmProgram(major)
}

/** Only where there can be nodes. */
function* preparedImages(): Generator<string> {
  const why = whyNoNodes()
  if (why === null) yield* [pauseArchive(), nodeArchive(), productArchive()]
  else console.log(`No images: ${why}`)
}

async function up(name: string, isWithoutNodes: boolean): Promise<void> {
  const named = { name, owner: null }
  const plane = isWithoutNodes
    ? await startControlPlane({ ...named, controllers: true, scheduler: true })
    : await withImages(await startCluster(named))
  console.log(`export KUBECONFIG=${plane.kubeconfig} PATH=${dirname(kubectlProgram())}:$PATH`)
}

async function withImages(cluster: NodeCluster): Promise<ControlPlane> {
  for (const archive of [nodeArchive(), productArchive()]) await cluster.importImage(archive)
  return cluster.plane
}

process.exitCode = await main(process.argv.slice(2))
