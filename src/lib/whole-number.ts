/** Whether a text is a whole number, 0 or more, that a number holds exactly: ids and counts as files and objects have them. */
export function isWholeNumber(text: unknown): text is string {
  return typeof text === 'string' && /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))
}
