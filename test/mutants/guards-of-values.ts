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
      {
        without: 'the session in what a value is bound to',
        from: 'Buffer.concat([LABEL, Buffer.from(id), key])',
        to: 'Buffer.concat([LABEL, key])',
        tests: [SEALING, SEALED_STORE],
      },
    ],
  },
  {
    file: 'src/sealing/aes-sealer.ts',
    tests: [SEALING],
    mutants: [
      {
        without: 'the key that a value names',
        from: 'Buffer.compare(other, id) === 0',
        to: 'other !== id',
      },
      {
        without: 'the length of a sealed value',
        from: "if (sealed.length < OVERHEAD) return 'notAuthentic'",
        to: '',
      },
    ],
  },
  {
    file: 'src/sealing/seal-settings.ts',
    tests: [SEALING],
    mutants: [
      {
        without: 'refusing to seal later than unsealed values count',
        from: 'if (sealFrom > acceptUnsealedUntil) {',
        to: 'if (sealFrom > Number.MAX_VALUE) {',
      },
      {
        without: 'refusing keys beside a sealer',
        from: '(keys === undefined) === (sealer === undefined)',
        to: 'keys === undefined && sealer === undefined',
      },
    ],
  },
  {
    file: 'src/sealing/reseal.ts',
    tests: [SEALING],
    mutants: [
      {
        without: 'leaving a value that does not open',
        from: 'if (value === null) return null',
        to: 'if (value === null) return { sessionId, key, expected, value: expected }',
      },
      {
        without: 'passing over values under the current key',
        from: 'if (!(await sealing.isCurrent(value.value, deadline))) outdated',
        to: 'outdated',
      },
      {
        without: 'refusing to reseal before values are sealed',
        from: 'if (!sealing.isSealing) {',
        to: 'if (sealing === null) {',
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
      {
        without: 'the time from which on values are sealed',
        from: 'if (!this.isSealing) return value',
        to: '',
      },
      {
        without: 'the deadline of a sealer',
        from: 'deadline?.race(result, late) ?? result',
        to: 'result',
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
        without: 'the longer size of a sealed value beside the threshold of large ones',
        from: 'most === undefined ? most : Math.min(most + sealing.overhead, LARGEST)',
        to: 'most',
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
        from: ' and d.value = meant.expected',
        to: '',
      },
    ],
  },
]
