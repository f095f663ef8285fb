import { ListenerError, parseEndpoint, type Endpoint } from '../broker/config/listeners.ts'

/** HOST:PORT,... as addresses, or what is wrong with one of them; `name` is what they were given as. */
export function readAddresses(name: string, text: string): readonly Endpoint[] | string {
  try {
    return text.split(',').map(each => parseEndpoint(name, each))
  } catch (error) {
    if (!(error instanceof ListenerError)) throw error
    return error.message
  }
}
