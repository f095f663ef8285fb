import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { hashOf, runMaker } from '../programs/cache.ts'
import { attempt, command } from './command.ts'

/** What the Dockerfile builds in: Debian with a C compiler, this Node, and the npm that runs us. Stays with buildah. */
export function baseImage(): string {
  const image = `localhost/logcluster-base:${hashOf([import.meta.filename, process.execPath])}`
  if (attempt('buildah', 'inspect', '--type=image', image)) return image
  console.log(`Building ${image}, once on this machine ...`)
  const folder = mkdtempSync(join(tmpdir(), 'logcluster-base-'))
  try {
    const packages = 'gcc,libc6-dev,ca-certificates'
    runMaker('debootstrap', ['--variant=minbase', `--include=${packages}`, 'bookworm', folder])
    rmSync(join(folder, 'var/cache/apt/archives'), { recursive: true })
    copyFileSync(process.execPath, join(folder, 'usr/bin/node'))
    mkdirSync(join(folder, 'usr/lib/node_modules'))
    cpSync(npmFolder(), join(folder, 'usr/lib/node_modules/npm'), { recursive: true })
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/bin/npm'))
    const container = command('buildah', 'from', 'scratch').trim()
    runMaker('buildah', ['add', '--quiet', container, folder, '/'])
    runMaker('buildah', ['commit', '--quiet', '--rm', container, image])
  } finally {
    rmSync(folder, { recursive: true })
  }
  return image
}

function npmFolder(): string {
  const program = process.env['npm_execpath'] ?? command('which', 'npm').trim()
  return dirname(dirname(realpathSync(program)))
}
