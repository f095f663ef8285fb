import { readInt16 } from '../../../lib/bytes.ts'
import { errorCode } from '../errors.ts'
import type { Api, Infer } from '../field.ts'
import { readResponse } from '../frame.ts'
import { apis, apiVersions } from '../messages/index.ts'
import { WireError } from '../wire-error.ts'
import { refuseErrors, WireClientError } from './client-error.ts'

export type ApiVersionsAnswer = Infer<typeof apiVersions.response>

type Range = readonly [min: number, max: number]

/** Which versions a peer understands, and so which of ours to use. */
export class Versions {
  /** By API key. */
  readonly #theirs: ReadonlyMap<number, Range>

  constructor(theirs: ReadonlyMap<number, Range>) {
    this.#theirs = theirs
  }

  /** As if the peer understood whatever our tables know: nothing is asked, and what it does not know it refuses. */
  static assumed(): Versions {
    return new Versions(new Map(apis.map(({ key, versions }) => [key, versions])))
  }

  static told({ apiKeys }: Pick<ApiVersionsAnswer, 'apiKeys'>): Versions {
    return new Versions(
      new Map(
        apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
      ),
    )
  }

  /**
   * The highest version that both know, or `wanted`, where both know that.
   * @throws WireClientError unsupported
   */
  choose(api: Api, wanted?: number): number {
    const theirs = this.#theirs.get(api.key)
    if (theirs === undefined) {
      throw new WireClientError('unsupported', `the peer does not serve ${api.name}`)
    }
    const min = Math.max(api.versions[0], theirs[0])
    const max = Math.min(api.versions[1], theirs[1])
    const version = wanted ?? max
    if (version >= min && version <= max) return version
    const sought = wanted === undefined ? `versions ${api.versions.join('-')}` : `version ${wanted}`
    throw new WireClientError(
      'unsupported',
      `${api.name} is wanted in ${sought}, and the peer serves ${theirs.join('-')}`,
    )
  }
}

/**
 * Asks the peer what it understands, by `ask`, which sends ApiVersions in a version. A peer that does not know the
 * newest names the versions that it knows, or else understands version 0 at least (KIP-511).
 * @throws AnsweredError where it refuses to tell
 */
export async function negotiate(
  ask: (version: number) => Promise<ApiVersionsAnswer>,
): Promise<Versions> {
  const [, newest] = apiVersions.versions
  const first = await ask(newest)
  if (!isUnsupported(first)) return toldBy(first)
  const range = first.apiKeys.find(({ apiKey }) => apiKey === apiVersions.key)
  const known = range === undefined ? 0 : Math.min(range.maxVersion, newest)
  return toldBy(await ask(Math.max(known, apiVersions.versions[0])))
}

/** An answer to ApiVersions: that to an unknown version is in version 0, whatever was asked (G1). */
export function readApiVersions(version: number, frame: Uint8Array): ApiVersionsAnswer {
  const isFallback = frame.length >= 6 && readInt16(frame, 4) === unsupportedVersion
  if (!isFallback) return readResponse(apiVersions, version, frame).value
  try {
    return readResponse(apiVersions, 0, frame).value
  } catch (error) {
    if (error instanceof WireError) return namelessFallback
    throw error
  }
}

function toldBy(answer: ApiVersionsAnswer): Versions {
  refuseErrors(answer.errorCode, 'ApiVersions')
  return Versions.told(answer)
}

function isUnsupported(answer: ApiVersionsAnswer): boolean {
  return answer.errorCode === unsupportedVersion
}

const unsupportedVersion = errorCode('UNSUPPORTED_VERSION')

/** Of a peer that does not know the version, and does not say by rule which ones it knows. */
const namelessFallback: ApiVersionsAnswer = {
  errorCode: unsupportedVersion,
  apiKeys: [],
  throttleTimeMs: 0,
  supportedFeatures: [],
  finalizedFeaturesEpoch: -1,
  finalizedFeatures: [],
  zkMigrationReady: false,
}
