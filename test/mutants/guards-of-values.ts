import type { MutantGroup } from './mutant.ts'

const SEALING = 'test/sealing/sealing.test.ts'
const SEALED_STORE = 'test/sealing/sealed-store.test.ts'

/** What keeps the values of sessions from readers and writers of the database. */
export const valueMutants: readonly MutantGroup[] = [
  {
    file: 'src/sealing/sealer.ts',
    tests: [SEALING],
    mutants: [
      {
        without: 'the key in what a value is bound to',
        from: 'Buffer.concat([LABEL, Buffer.from(id), key])',
        to: 'Buffer.concat([LABEL, Buffer.from(id)])',
      },
    ],
  },
  {
    file: 'src/sealing/sealing.ts',
    tests: [SEALING],
    mutants: [
      {
        without: 'refusing values that are not sealed',
        from: "return this.acceptsUnsealed ? stored : 'notSealed'",
        to: 'return stored',
      },
    ],
  },
  {
    file: 'src/sealing/sealed-store.ts',
    tests: [SEALED_STORE, SEALING],
    mutants: [
      {
        without: 'trying an update again with the form that is stored',
        from: "if (!areEqual(current, expected)) return { status: 'changed', current }",
        to: "return { status: 'changed', current }",
      },
      {
        without: 'waiting at the end for values that are being sealed',
        from: 'await Promise.all(inFlight)',
        to: 'await Promise.resolve()',
      },
    ],
  },
  {
    file: 'src/postgres/operations/stored-values.ts',
    tests: [SEALING, 'test/store/postgres-store.test.ts'],
    mutants: [
      {
        without: 'leaving a value that was changed meanwhile',
        from: ' and d.value = e.expected',
        to: '',
      },
    ],
  },
]
