import type { Api } from '../../src/broker/wire/field.ts'
import type { Message } from '../../src/broker/wire/shape.ts'
import type { Scenario, Session } from './session.ts'
import { type Variant, variantsOf } from './variants.ts'

/** How one API is asked in every version and at every edge. */
export interface Sweep {
  readonly api: Api
  /**
   * Makes what the request is about, and the request, one that succeeds. `at` is a name that no other request of the
   * scenario was given.
   */
  readonly base: (session: Session, at: string) => Promise<Message> | Message
  /** The request changes what it is about: `base` is called for each, and not once for all. */
  readonly changes?: boolean
  /** Fields that are left as they are, by `topics.name`: their edges make a broker wait, or do what others would feel. */
  readonly except?: readonly string[]
  /** The edge that Kafka leaves without an answer for ever, `topics.name = null`: there is nothing to compare with. */
  readonly unanswered?: string
  /** What else is asked after each request. */
  readonly after?: (session: Session, label: string, body: Message) => Promise<void>
}

/** Two scenarios: the request in every version, and each of its fields at every edge in the lowest and the highest. */
export function sweep(how: Sweep): Scenario[] {
  const { api } = how
  const [min, max] = api.versions
  return [
    {
      name: `${api.name} in every version`,
      run: async session => {
        const base = basesOf(how, session)
        for (let version = min; version <= max; version++) {
          await ask(how, session, { label: `v${version}`, version, body: await base() })
        }
      },
    },
    {
      name: `${api.name} at the edges`,
      run: async session => {
        const base = basesOf(how, session)
        for (const version of new Set([min, max])) {
          const own = (name: string): string => session.own(`v${version}-${name}`)
          const places = placesOf(how, variantsOf(api, version, await base(), own))
          for (const place of places) {
            const { label, body } = variantsOf(api, version, await base(), own)[place]!
            await ask(how, session, { label, version, body })
          }
          await cutAndLong(session, { api, version, body: await base() })
        }
      },
    },
  ]
}

/** The request as `base` makes it, anew each time where it is used up. */
function basesOf({ base, changes }: Sweep, session: Session): () => Promise<Message> {
  let count = 0
  let made: Message | null = null
  return async () => {
    if (made === null || changes === true) made = await base(session, String(count++))
    return made
  }
}

/** Which of the variants are asked. */
function placesOf({ except = [], unanswered }: Sweep, variants: readonly Variant[]): number[] {
  return variants.flatMap(({ field, say }, place) => {
    return except.includes(field) || unanswered === `${field} ${say}` ? [] : [place]
  })
}

async function ask(
  { api, after }: Sweep,
  session: Session,
  request: { readonly label: string; readonly version: number; readonly body: Message },
): Promise<void> {
  await session.ask(request.label, api, request.version, request.body)
  await after?.(session, request.label, request.body)
}

/** A frame that ends too early, and one with bytes behind its end. */
async function cutAndLong(
  session: Session,
  request: { readonly api: Api; readonly version: number; readonly body: Message },
): Promise<void> {
  const { version } = request
  await session.askChanged(`v${version} cut`, request, frame => frame.subarray(0, -1))
  await session.askChanged(`v${version} with bytes behind`, request, frame => {
    return Buffer.concat([frame, Buffer.from([0, 0, 0])])
  })
}
