import type { MetadataImage, ScramUserImage } from '../metadata/image.ts'
import { errorCode, type ErrorName } from '../wire/errors.ts'
import {
  describeUserScramCredentials,
  type DescribeUserScramCredentialsRequest,
  type DescribeUserScramCredentialsResponse,
} from '../wire/messages/index.ts'
import type { Handler } from './handler.ts'
import { scramMechanism } from '../wire/sasl/scram-mechanisms.ts'

type Result = DescribeUserScramCredentialsResponse['results'][number]

/** DescribeUserScramCredentials: v0, which mechanisms users have credentials for; nobody is told the credentials. */
export function describeUserScramCredentialsHandler(
  image: () => MetadataImage,
): Handler<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse> {
  return {
    api: describeUserScramCredentials,
    handle({ users }) {
      const names = (users ?? []).map(({ name }) => name)
      const results =
        names.length === 0
          ? Array.from(image().scramUsers(), described)
          : Array.from(new Set(names), name => {
              if (names.indexOf(name) !== names.lastIndexOf(name)) {
                const message = `The request names user ${JSON.stringify(name)} more than once.`
                return failure(name, 'DUPLICATE_RESOURCE', message)
              }
              const user = image().scramUser(name)
              if (user !== undefined) return described(user)
              const message = `User ${JSON.stringify(name)} has no SCRAM credentials.`
              return failure(name, 'RESOURCE_NOT_FOUND', message)
            })
      return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, results }
    },
  }
}

function described({ user, credentials }: ScramUserImage): Result {
  const credentialInfos = [...credentials].flatMap(([name, { iterations }]) => {
    const mechanism = scramMechanism(name)
    return mechanism === undefined ? [] : [{ mechanism: mechanism.number, iterations }]
  })
  return { ...failure(user, 'NONE', null), credentialInfos }
}

function failure(user: string, error: ErrorName, errorMessage: string | null): Result {
  return { user, errorCode: errorCode(error), errorMessage, credentialInfos: [] }
}
