import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cacheFolder, hashOf, madeOnce, runMaker } from '../programs/cache.ts'
import { command } from './command.ts'
import { pauseImage } from './configuration.ts'
import { writeOciArchive } from './oci-archive.ts'

/** Runs JavaScript in a pod and nothing else: `node -e ...`. */
export const nodeImage = 'localhost/logcluster-node:1'

const source = join(import.meta.dirname, 'pause.c')
const writer = join(import.meta.dirname, 'oci-archive.ts')

/** The OCI archive of the image that every pod's sandbox is made of; built where it is missing. */
export function pauseArchive(): string {
  return madeImage('pause', [source, writer], (root, archive) => {
    runMaker('cc', ['-static', '-Os', '-o', join(root, 'pause'), source])
    writeOciArchive(archive, { name: pauseImage, root, entrypoint: ['/pause'] })
  })
}

/** The OCI archive of an image that has this Node and the libraries it needs, for clients in the cluster. */
export function nodeArchive(): string {
  return madeImage('node', [process.execPath, writer], (root, archive) => {
    const libraries = command('ldd', process.execPath).match(/\/\S+\.so\S*/g) ?? []
    const resolvers = ['libnss_dns.so.2', 'libnss_files.so.2'].map(name =>
      join(dirname(libraries.find(path => path.includes('libc.so')) ?? '/'), name),
    )
    const files = [...libraries, ...resolvers].map(path => [path, path] as const)
    for (const [from, to] of [...files, [process.execPath, '/usr/local/bin/node'] as const]) {
      mkdirSync(join(root, dirname(to)), { recursive: true })
      // What a link leads to, under the name of the link.
      copyFileSync(from, join(root, to))
    }
    const env = ['PATH=/usr/local/bin']
    writeOciArchive(archive, { name: nodeImage, root, entrypoint: ['node'], env })
  })
}

function madeImage(
  name: string,
  decidedBy: readonly string[],
  make: (root: string, archive: string) => void,
): string {
  const path = join(cacheFolder('images'), `${name}-${hashOf(decidedBy)}.tar`)
  return madeOnce(path, partial => {
    const root = mkdtempSync(join(tmpdir(), 'logcluster-image-'))
    try {
      make(root, partial)
    } finally {
      rmSync(root, { recursive: true })
    }
  })
}
