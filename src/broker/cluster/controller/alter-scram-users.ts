import type { MetadataImage } from '../../metadata/image.ts'
import type { MetadataRecord } from '../../metadata/records.ts'
import type { ScramUserChange, ScramUserResult } from './commands.ts'
import type { Decision } from './decision.ts'

/** Each user's changes are decided on their own: all of them, or none. */
export function decideAlterScramUsers(
  before: MetadataImage,
  changes: readonly ScramUserChange[],
): Decision {
  const records: MetadataRecord[] = []
  let image = before
  const results = changes.map(({ user, credentials }): ScramUserResult => {
    const present = image.scramUser(user)?.credentials
    const absent = credentials.find(
      ({ mechanism, credential }) => credential === null && present?.has(mechanism) !== true,
    )
    if (absent !== undefined) {
      const message = `User ${JSON.stringify(user)} has no credential for ${absent.mechanism}.`
      return { error: 'RESOURCE_NOT_FOUND', message }
    }
    for (const change of credentials) {
      const record = { type: 'scramCredentialChanged', user, ...change } as const
      image = image.apply(record)
      records.push(record)
    }
    return { error: 'NONE', message: null }
  })
  return { records, image, answer: { type: 'scramUsersAltered', results } }
}
