import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files in the order of their names: those of one cluster follow one another the same way on every machine. */
export class ByName extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
    return Promise.resolve(sorted)
  }
}
