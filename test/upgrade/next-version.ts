import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Loaded into an operator's process before it starts (`node --import`): it is as one of a next version would be, whose
 * brokers are given a variable more.
 */
const file = 'src/operator/desired/pod-template.ts'
const from = "      { name: 'HOST_IP',"

registerHooks({
  load(url, context, nextLoad) {
    if (!url.endsWith(`/${file}`)) return nextLoad(url, context)
    const parts = readFileSync(fileURLToPath(url), 'utf8').split(from)
    if (parts.length !== 2)
      throw new Error(`${file} has no variables of the container at "${from}"`)
    const source = parts.join(`      { name: 'LOGCLUSTER_NEXT', value: 'on' },\n${from}`)
    return { format: 'module-typescript', source, shortCircuit: true }
  },
})
