import {
  api,
  array,
  int16,
  int32,
  nullable,
  string,
  uuid,
  type Draft,
  type Infer,
} from '../field.ts'

/** DeleteTopics: deletes topics by name, from v6 by id too (KIP-516). v5 brings error messages. */
export const deleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexible: 4,
  request: {
    /** From v6; before, `topicNames`. */
    topics: array({
      /** Null where the topic is meant by its id. */
      name: nullable(string).default(null),
      topicId: uuid,
    }).since(6),
    topicNames: array(string).until(5),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      name: nullable(string, 6),
      topicId: uuid.since(6),
      errorCode: int16,
      errorMessage: nullable(string).since(5).default(null),
    }),
  },
})

export type DeleteTopicsRequest = Infer<typeof deleteTopics.request>
export type DeleteTopicsResponse = Draft<typeof deleteTopics.response>
