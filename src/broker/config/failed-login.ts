/** Who guesses passwords waits so long for each answer; Kafka's connection.failed.authentication.delay.ms. */
export const failedLoginDelayMs = 100
