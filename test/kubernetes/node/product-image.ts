import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder, madeOnce, runMaker } from '../programs/cache.ts'
import { baseImage } from './base-image.ts'

const root = join(import.meta.dirname, '../../..')

/** As pods name the image that the project's own Dockerfile makes. */
export const productRepository = 'localhost/logcluster'
export const productVersion = (
  JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }
).version

/** The OCI archive of that image; built by buildah where the sources differ from those it was built of. */
export function productArchive(): string {
  const hash = hashOfSources()
  return madeOnce(join(cacheFolder('images'), `logcluster-${hash}.tar`), partial => {
    const base = baseImage()
    const image = 'localhost/logcluster-test'
    console.log("Building the product's image from its Dockerfile ...")
    const certificates = process.env['NODE_EXTRA_CA_CERTS']
    const npmCache = join(homedir(), '.npm')
    mkdirSync(npmCache, { recursive: true })
    runMaker('buildah', [
      'bud',
      '--isolation=chroot',
      '--pull-never',
      // What npm brought is brought again only where the lock file says so.
      '--layers',
      `--build-arg=BASE=${base}`,
      // What npm fetched for the checkout is there for the image too.
      `--volume=${npmCache}:/root/.npm`,
      ...(certificates === undefined
        ? []
        : [
            `--build-arg=NODE_EXTRA_CA_CERTS=${certificates}`,
            '--volume=/etc/ssl/certs:/etc/ssl/certs:ro',
          ]),
      `--tag=${image}`,
      root,
    ])
    const name = `${productRepository}:${productVersion}`
    runMaker('buildah', ['push', '--quiet', image, `oci-archive:${partial}:${name}`])
  })
}

/** Of all that the builder is given, as .dockerignore lets it through. */
function hashOfSources(): string {
  const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  const given = lines.filter(line => line.startsWith('!')).map(line => line.slice(1))
  const left = (path: string): boolean =>
    path.endsWith('.test.ts') || path.startsWith('native/build')
  const files = ['.dockerignore', 'Dockerfile', ...given]
    .flatMap(name => (statSync(join(root, name)).isDirectory() ? under(name) : [name]))
    .filter(path => !left(path))
  const hash = createHash('sha256')
  for (const path of files.toSorted()) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex').slice(0, 12)
}

function under(folder: string): string[] {
  return globSync(`${folder}/**`, { cwd: root }).filter(path => statSync(join(root, path)).isFile())
}
