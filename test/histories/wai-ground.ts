import pg from 'pg'
import type { Driver } from 'pg-sessions/driver'
import { WaiStore, waiTokens } from 'pg-sessions/haskell'
import { cereal, cerealCodec } from 'pg-sessions/haskell/cereal'
import { fromPg } from 'pg-sessions/pg'
import type { SessionStore } from 'pg-sessions/store'
import { createTestDatabase } from '../support/database.ts'
import { faultyDriver } from './faulty-driver.ts'
import { type Ground, untilAtRest } from './ground.ts'
import type { Errand, Lane, Step } from './program.ts'

/** The tables of wai-session-postgresql, which know no users, lifetimes and renewals. */
export async function waiGround(): Promise<Ground> {
  const database = await createTestDatabase()
  const pools = [1, 2].map(() => new pg.Pool({ connectionString: database.url, max: 4 }))
  const drivers = pools.map((pool) => fromPg(pool))
  const calm = drivers[0] as Driver
  await new WaiStore({ driver: calm, timeout: '30d' }).ready()
  return {
    async open(weather, { deadline }) {
      await pools[0]?.query('delete from wai_pg_sessions')
      const storeOn = (driver: Driver): SessionStore =>
        new WaiStore({ driver, timeout: '30d', migrate: 'off', deadline: `${deadline}ms` })
      return {
        stores: drivers.map((driver) => storeOn(faultyDriver(driver, weather))),
        calm: storeOn(calm),
        elapse: async (milliseconds) => {
          await pools[0]?.query(
            'update wai_pg_sessions set session_last_access = session_last_access - $1',
            [milliseconds / 1000],
          )
        },
        rest: () => untilAtRest(pools),
      }
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.end()))
      await database.drop()
    },
    settings: {
      tokens: waiTokens(),
      codec: cerealCodec({ key: cereal.string, value: cereal.string }),
      absoluteTimeout: 'none',
      renewInterval: 'never',
    },
    narrow,
    rules: { doesRotationStopRequests: true },
  }
}

/** Puts what the tables have a place for where a program asks for something else. */
function narrow(lane: Lane): Lane {
  if ('errands' in lane) return { ...lane, errands: lane.errands.map(errandWithoutUsers) }
  const requests = lane.requests.map(({ age, steps }) => ({
    age,
    steps: steps.map(stepWithoutUsers),
  }))
  return { ...lane, requests }
}

const WITHOUT_A_PLACE: ReadonlySet<Step['do']> = new Set([
  'elevate',
  'describe',
  'tag',
  'untag',
  'act as',
  'end acting',
])

function stepWithoutUsers(step: Step): Step {
  if (step.do === 'sign in') return { do: 'rotate', saves: true }
  if (WITHOUT_A_PLACE.has(step.do)) return { do: 'update' }
  if (step.do === 'set lifetime') return { do: 'rotate', saves: step.saves }
  return step
}

function errandWithoutUsers(errand: Errand): Errand {
  if (errand.do === 'end by id') return { ...errand, owner: null }
  return errand.do === 'count' ? errand : { do: 'purge' }
}
