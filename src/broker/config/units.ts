/** Sizes in bytes and times in milliseconds, for the tables of settings. */
export const kibibyte = 1024
export const mebibyte = 1024 * kibibyte
export const gibibyte = 1024 * mebibyte

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour
