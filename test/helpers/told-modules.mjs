// Preloaded by `--import`: says on stderr which packages a process loads, one line each, `loads NAME`.
import { registerHooks } from 'node:module'

const told = new Set()
registerHooks({
  load(url, context, nextLoad) {
    const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
    if (name !== undefined && !told.has(name)) {
      told.add(name)
      process.stderr.write(`loads ${name}\n`)
    }
    return nextLoad(url, context)
  },
})
