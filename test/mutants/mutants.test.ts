import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { mutantGroups } from './all-mutants.ts'
import { mutate } from './mutant.ts'

test.each(mutantGroups.map((group) => [group.file, group] as const))(
  'the mutants of %s still apply, and the tests that kill them are there',
  async (file, { tests, mutants }) => {
    const source = await readFile(file, 'utf8')
    for (const mutant of mutants) {
      expect(mutate(source, mutant, file)).not.toBe(source)
      for (const path of mutant.tests ?? tests) expect(existsSync(path), path).toBe(true)
    }
  },
)
