import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { command } from './command.ts'

export interface ImageSource {
  /** With its tag, such as `localhost/logcluster-pause:1`. */
  readonly name: string
  /** Becomes the root of the image, as its files are. */
  readonly root: string
  readonly entrypoint: readonly string[]
  readonly env?: readonly string[]
}

/** Writes an image of one layer as an OCI archive, which containerd imports: for what is no more than some files. */
export function writeOciArchive(path: string, { name, root, entrypoint, env }: ImageSource): void {
  const folder = mkdtempSync(`${path}.layout-`)
  const blobs = join(folder, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const layer = join(folder, 'layer.tar')
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', '--mtime=@0']
  command('tar', '-cf', layer, ...owner, '-C', root, '.')
  const digest = hash(readFileSync(layer))
  renameSync(layer, join(blobs, digest))
  const add = (content: object, mediaType: string): object => {
    const bytes = Buffer.from(JSON.stringify(content))
    writeFileSync(join(blobs, hash(bytes)), bytes)
    return { mediaType, digest: `sha256:${hash(bytes)}`, size: bytes.length }
  }
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: entrypoint, Env: env ?? [] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
  }
  const manifest = {
    schemaVersion: 2,
    config: add(config, `${oci}.config.v1+json`),
    layers: [
      {
        mediaType: `${oci}.layer.v1.tar`,
        digest: `sha256:${digest}`,
        size: readFileSync(join(blobs, digest)).length,
      },
    ],
  }
  const named = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name }
  const entry = { ...add(manifest, `${oci}.manifest.v1+json`), annotations: named }
  const index = { schemaVersion: 2, manifests: [entry] }
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index))
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  mkdirSync(dirname(path), { recursive: true })
  command('tar', '-cf', path, '-C', folder, '.')
  rmSync(folder, { recursive: true })
}

const oci = 'application/vnd.oci.image'

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
