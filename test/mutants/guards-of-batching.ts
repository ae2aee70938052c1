import type { MutantGroup } from './mutant.ts'
import { BATCHER, CONTRACT, SHARED } from './test-files.ts'

const PROOF = 'test/postgres/proof.test.ts'
const DEADLINE = 'test/store/deadline.test.ts'

/** Batches, budgets, retries and the proof of an answer. */
export const batchingMutants: readonly MutantGroup[] = [
  {
    file: 'src/postgres/parameter-types.ts',
    tests: [SHARED],
    mutants: [
      {
        without: 'the escape of backslashes in array texts',
        from: ".replaceAll('\\\\', '\\\\\\\\')",
        to: '',
      },
      {
        without: 'the escape of quotes in array texts',
        from: ".replaceAll('\"', '\\\\\"')",
        to: '',
      },
      {
        without: 'telling null from the text null in a list',
        from: "value === null ? 'null' : write(value as Exclude<Value, null>)",
        to: 'value === null ? \'"null"\' : write(value as Exclude<Value, null>)',
      },
      {
        without: 'an endless duration in a list',
        from: "write: (value) => (isEndless(value) ? 'null' :",
        to: "write: (value) => (value === undefined ? 'null' :",
      },
    ],
  },
  {
    file: 'src/postgres/batcher.ts',
    tests: [BATCHER],
    mutants: [
      {
        without: 'sending a call that finds a free slot alone and at once',
        from: 'const isFree = this.#inFlight < this.#limits.slots',
        to: 'const isFree = false',
      },
      {
        without: 'the number of slots',
        from: 'this.#waiting.length === 0 || this.#inFlight === this.#limits.mostSlots',
        to: 'this.#waiting.length === 0',
        tests: [SHARED],
      },
      {
        without: 'the deadline of calls that wait in the queue',
        from: "this.#waiting = this.#refuseLate(this.#waiting, 'none')",
        to: '',
        tests: [SHARED],
      },
      {
        without: 'the deadline of a call whose statement goes on',
        from: "() => this.#refuseLate(batch, 'unknown')",
        to: '() => {}',
      },
      {
        without: 'the longest deadline of a shared statement',
        from: 'b.deadline.endsAt > a.deadline.endsAt ? b : a',
        to: 'b.deadline.endsAt < a.deadline.endsAt ? b : a',
      },
      {
        without: 'the order of ids in shared statements',
        from: 'batch.sort((a, b) => (sessionOf(a.call) < sessionOf(b.call) ? -1 : 1))',
        to: 'batch',
        tests: [SHARED],
      },
      {
        without: 'the bound of calls in a batch',
        from: 'isFull = batch.length === this.#limits.batch\n',
        to: '',
      },
      {
        without: 'the bound of bytes in a batch',
        from: 'isFull ||= batch.length > 0 && bytes + size > this.#limits.batchBytes',
        to: '',
      },
      {
        without: 'keeping calls about one session apart',
        from: 'isFull || (isExclusive && taken.has(session))',
        to: 'isFull',
      },
      {
        without: 'trying the calls of a refused statement alone',
        from: 'if (error instanceof StoreError) return this.#each(batch)',
        to: '',
      },
      {
        without: 'telling calls whose outcome is unknown so',
        from: 'if (error instanceof StoreError) return',
        to: 'return',
      },
      {
        without: 'trying a call alone that a shared statement left out',
        from: 'if (answer === null) unanswered.push(waiting)',
        to: 'if (answer === null) waiting.resolve(answer as never)',
      },
      {
        without: 'waiting for a load in flight',
        from: 'const waits = this.#upstream?.onceAnswered(() => realTime.setImmediate(go)) === true',
        to: 'const waits = false',
      },
      {
        without: 'the patience with a load in flight',
        from: 'if (waits) timer = realTime.setTimeout(go, this.#limits.patience)',
        to: '',
      },
      {
        without: 'sending collected touches after a while',
        from: '      this.#sendNext()\n      this.#watchQueue()\n',
        to: '      this.#watchQueue()\n',
      },
    ],
  },
  {
    file: 'src/postgres/operation.ts',
    tests: [PROOF],
    mutants: [
      {
        without: 'the proof of an answer',
        from: "last?.proof !== proof || typeof last.answer !== 'string'",
        to: "typeof last?.answer !== 'string'",
      },
      {
        without: 'refusing an answer that goes on',
        from: "if (!bytes.isAtEnd) throw new UndecodableError('the answer goes on')",
        to: '',
      },
      {
        without: 'refusing an answer with a hole',
        from: "if (typeof row?.answer !== 'string') throw new UndecodableError('a row is missing')",
        to: "if (typeof row?.answer !== 'string') return ''",
        equivalent: 'a row without bytes is cut off, which is refused where they are read',
      },
      {
        without: 'the unknown outcome of a write whose answer went astray',
        from: "const outcome = effect === 'none' ? 'none' : 'unknown'",
        to: "const outcome: string = 'none' as 'none' | 'unknown'",
      },
    ],
  },
  {
    file: 'src/postgres/answer-bytes.ts',
    tests: [PROOF],
    mutants: [
      {
        without: 'refusing an answer that is cut off',
        from: 'length < 0 || at + length > this.#bytes.length',
        to: 'length < 0',
        equivalent:
          'what reads past the end of the bytes is not at their end then, which is refused as well',
      },
    ],
  },
  {
    file: 'src/postgres/statement-runner.ts',
    tests: ['test/postgres/retries.test.ts', 'test/faults/lost-create.test.ts'],
    mutants: [
      {
        without: 'remembering that an earlier attempt may have been applied',
        from: 'throw isInDoubt ? inDoubt(failure, statement) : failure',
        to: 'throw failure',
      },
      {
        without: 'the difference between what may be sent again and what may not',
        from: "(kind === 'unknown' && effect !== 'once')",
        to: "kind === 'unknown'",
      },
      {
        without: 'a repeat of what has surely had no effect',
        from: "const again = kind === 'safe' ||",
        to: 'const again =',
        tests: ['test/faults/collisions.test.ts'],
      },
      {
        without: 'a repeat of reads',
        from: "|| (kind === 'unknown' && effect !== 'once')",
        to: '',
        tests: ['test/faults/lost-replies.test.ts', PROOF],
      },
      {
        without: 'refusing a call whose deadline has passed before it is sent',
        from: 'if (timeout === 0 && attempts === 1)',
        to: 'if (timeout < 0)',
        tests: [BATCHER],
      },
      {
        without: 'the budget that repeats draw on',
        from: 'pause >= deadline.left()',
        to: 'false',
        tests: ['test/postgres/retries.test.ts'],
      },
    ],
  },
  {
    file: 'src/postgres/table-access.ts',
    tests: ['test/store/postgres-store-alone.test.ts'],
    mutants: [
      {
        without: 'refusing calls after close',
        from: 'if (this.#isClosed) return Promise.reject(new SessionsClosedError())',
        to: '',
        tests: [CONTRACT],
      },
      {
        without: 'waiting for the calls in flight at close',
        from: 'if (this.#inFlight > 0) {',
        to: 'if (this.#inFlight < 0) {',
        tests: [BATCHER],
      },
      {
        without: 'preparing again when the tables were dropped',
        from: 'if (!isOfSchema(error) && this.#options.isOutdated?.(error) !== true) throw error',
        to: 'throw error',
        tests: ['test/postgres/whose-tables.test.ts', 'test/postgres/migrations.test.ts'],
      },
      {
        without: 'the deadline of a call that waits for the tables',
        from: 'return deadline.race(this.#prepareOnce(), late)',
        to: 'return this.#prepareOnce().then(() => void late)',
        tests: ['test/faults/stuck-migration.test.ts'],
      },
    ],
  },
  {
    file: 'src/store/deadline.ts',
    tests: [DEADLINE],
    mutants: [
      {
        without: 'a budget that ends',
        from: 'return Math.max(0, this.endsAt - realTime.now())',
        to: 'return Math.max(1, this.endsAt - realTime.now())',
      },
      {
        without: 'one turn of the event loop for an answer that is there',
        from: 'realTime.setImmediate(() => reject(late()))',
        to: 'reject(late())',
      },
      {
        without: 'a bound of the timer',
        from: 'Math.min(Math.ceil(this.left()), LONGEST_TIMER)',
        to: 'Math.ceil(this.left())',
      },
      {
        without: 'rounding up, so that a timer never ends before the deadline',
        from: 'Math.ceil(this.left())',
        to: '0',
      },
      {
        without: 'stopping the timer',
        from: '.finally(() => realTime.clearTimeout(timer))',
        to: '',
      },
    ],
  },
]
