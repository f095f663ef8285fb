/** What our processes end with: did what it was asked, failed, did not understand (EX_USAGE of sysexits.h), could ask nobody (EX_UNAVAILABLE), cannot be used as it is configured (EX_CONFIG). */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  badConfiguration: 78,
} as const
