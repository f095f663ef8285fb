/** Codecs by their numbers in a batch's attributes (KIP-110); 5 to 7 are not defined. */
export type CodecId = 0 | 1 | 2 | 3 | 4
export const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
