import { realClock } from '../../../../src/env/real/clock.ts'
import { realRandom } from '../../../../src/env/real/random.ts'
import { HttpApi } from '../../../../src/operator/kubernetes/http-api.ts'
import { kubeconfig } from '../../../../src/operator/kubernetes/kubeconfig.ts'
import { Transport } from '../../../../src/operator/kubernetes/transport.ts'

/** The operator's own client, as somebody whose kubeconfig is given. */
export interface ApiClient extends AsyncDisposable {
  readonly api: HttpApi
  /** `verb code` of each request that has an answer, and of each that failed. */
  readonly requests: string[]
  /** Ends what is under way. */
  readonly end: AbortController
}

export function apiClient(path: string): ApiClient {
  const sender = new Transport({ source: kubeconfig(path), clock: realClock, userAgent: 'test' })
  const end = new AbortController()
  const requests: string[] = []
  const api = new HttpApi({
    sender,
    clock: realClock,
    random: realRandom,
    mayWrite: () => true,
    meter: (verb, code) => requests.push(`${verb} ${code}`),
    signal: end.signal,
  })
  return {
    api,
    requests,
    end,
    async [Symbol.asyncDispose]() {
      end.abort()
      await sender.close()
    },
  }
}
