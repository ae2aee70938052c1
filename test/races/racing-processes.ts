import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { PostgresStore } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { expect } from 'vitest'
import { bundledProgram } from '../support/bundled-program.ts'
import { createTestDatabase } from '../support/database.ts'
import type { Act, Answer, Answers, Question } from './protocol.ts'

/** Two processes of an application on one database, one on `pg` and one on postgres.js. */
export interface RacingProcesses extends AsyncDisposable {
  readonly pool: pg.Pool
  /** Has both processes do these things at once, and gives the answers in the same order. */
  race(one: readonly Act[], other: readonly Act[]): Promise<Race>
  /** Does so while all sessions are locked, until changes of both processes wait for the locks. */
  raceForLocks(one: readonly Act[], other: readonly Act[]): Promise<Race>
  /** Has one process do one thing after all before. */
  ask(act: Act): Promise<Answer>
  /** The sessions in the database that these conditions hold for. */
  stored(where: string, ...values: readonly unknown[]): Promise<readonly StoredSession[]>
}

interface Race {
  readonly answers: readonly [one: readonly Answer[], other: readonly Answer[]]
  /** Of both processes, as each has told of it. */
  readonly ended: Answers['ended']
  readonly unsealed: number
}

interface StoredSession {
  readonly id: string
  readonly userId: string | null
  readonly tags: readonly string[]
  readonly isElevated: boolean
}

export async function startRacingProcesses(): Promise<RacingProcesses> {
  const database = await createTestDatabase()
  const pool = new pg.Pool({ connectionString: database.url, max: 2 })
  const store = new PostgresStore({ driver: fromPg(pool), deadline: '30s' })
  await store.ready()
  await store.close()
  const processes = await Promise.all([
    RacingProcess.start('pg', database.url),
    RacingProcess.start('postgres.js', database.url),
  ])
  const [first, second] = processes

  const race: RacingProcesses['race'] = async (one, other) => {
    const both = await Promise.all([first.tell(one), second.tell(other)])
    return {
      answers: [both[0].answers, both[1].answers],
      ended: both.flatMap(({ ended }) => ended),
      unsealed: both[0].unsealed + both[1].unsealed,
    }
  }
  return {
    pool,
    race,
    async raceForLocks(one, other) {
      const holder = await pool.connect()
      try {
        await holder.query('begin')
        await holder.query('select from sessions.session for update')
        const racing = race(one, other)
        await expect.poll(() => waiting(pool), { interval: 5, timeout: 30_000 }).toBe(2)
        await holder.query('commit')
        return await racing
      } finally {
        holder.release()
      }
    },
    async ask(act) {
      const { answers } = await race([act], [])
      return answers[0][0] as Answer
    },
    async stored(where, ...values) {
      const { rows } = await pool.query(
        `select id, user_id as "userId", coalesce(tags, '{}') as tags, elevated_at is not null as "isElevated"
         from sessions.session where ${where}`,
        [...values],
      )
      return rows
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(processes.map((it) => it.stop()))
      await pool.end()
      await database.drop()
    },
  }
}

/** How many processes have a statement that waits for a lock. */
async function waiting(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(
    `select count(distinct application_name)::int as waiting from pg_stat_activity
     where datname = current_database() and application_name like 'racing on %'
       and wait_event_type = 'Lock'`,
  )
  return rows[0]?.waiting
}

/** One of the processes, seen from the test. */
class RacingProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answers: Answers) => void>()
  readonly #hasExited: Promise<unknown>
  #number = 0

  constructor(child: ChildProcess) {
    this.#child = child
    this.#hasExited = once(child, 'exit')
    child.on('message', (answers: Answers) => this.#waiting.get(answers.number)?.(answers))
  }

  static async start(driver: string, url: string): Promise<RacingProcess> {
    const program = await bundledProgram('test/races/racing-process.ts')
    const child = fork(program, [driver, url], { execArgv: ['--enable-source-maps'] })
    await Promise.race([once(child, 'message'), once(child, 'exit').then(refuse)])
    return new RacingProcess(child)
  }

  async tell(acts: readonly Act[]): Promise<Omit<Answers, 'number'>> {
    if (acts.length === 0) return { answers: [], ended: [], unsealed: 0 }
    this.#number += 1
    const question: Question = { number: this.#number, acts }
    const answered = new Promise<Answers>((resolve) => {
      this.#waiting.set(question.number, resolve)
    })
    this.#child.send(question)
    return await Promise.race([answered, this.#hasExited.then(refuse)])
  }

  async stop(): Promise<void> {
    this.#child.disconnect()
    await this.#hasExited
  }
}

function refuse(): never {
  throw new Error('A process of the race has ended.')
}
