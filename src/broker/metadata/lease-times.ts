/** As reliable leader elections have them (durability.md 1.5): their ratio is how much faster one clock may run than another. */
export const leaseDurationMs = 10_000
export const renewDeadlineMs = 6_000
