import { dirname } from 'node:path'
import { clusterNames } from './cluster-folder.ts'
import { removeCluster, startCluster, startControlPlane } from './cluster.ts'
import { builtProgram, builtPrograms } from './programs/built.ts'
import { helmProgram, kubectlProgram } from './programs/fetched.ts'

const usage = `Usage: npm run cluster -- COMMAND
  up [NAME]                        three nodes (root)
  up [NAME] --control-plane-only   an API server with controllers and scheduler, no nodes
  down [NAME | --all]              ends a cluster and removes all of it
  list                             the clusters of this machine
  programs                         builds and fetches what is missing, and says where it is
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
    case 'programs':
      for (const each of builtPrograms) console.log(builtProgram(each))
      for (const each of [kubectlProgram(), helmProgram(4), helmProgram(3)]) console.log(each)
      return 0
    default:
      console.error(usage)
      return 1
  }
}

async function up(name: string, isWithoutNodes: boolean): Promise<void> {
  const named = { name, owner: null }
  const plane = isWithoutNodes
    ? await startControlPlane({ ...named, controllers: true, scheduler: true })
    : (await startCluster(named)).plane
  console.log(`export KUBECONFIG=${plane.kubeconfig} PATH=${dirname(kubectlProgram())}:$PATH`)
}

process.exitCode = await main(process.argv.slice(2))
