export const deviations: readonly import('./deviation.ts').Deviation[] = []
