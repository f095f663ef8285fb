import { errorCode } from '../wire/errors.ts'
import {
  brokerStatus,
  type BrokerStatusRequest,
  type BrokerStatusResponse,
} from '../wire/private/index.ts'
import type { Handler } from './handler.ts'

export type BrokerStatus = Required<
  Omit<BrokerStatusResponse, 'errorCode' | 'errorMessage' | 'credentialsRevision'>
>

/** BrokerStatus: v0-2, on the private listener only; at every moment of the broker's life it tells what is known. */
export function brokerStatusHandler(
  status: () => BrokerStatus,
  credentialsRevision: () => string,
): Handler<BrokerStatusRequest, BrokerStatusResponse> {
  return {
    api: brokerStatus,
    handle: () => ({
      errorCode: errorCode('NONE'),
      errorMessage: null,
      ...status(),
      credentialsRevision: credentialsRevision(),
    }),
  }
}
