import { inspect } from 'node:util'
import { Pool } from 'pg'
import {
  ConfigurationError,
  createSessions,
  defaultSettings,
  MemoryStore,
  PostgresStore,
} from 'pg-sessions'
import { expect, it } from 'vitest'

const create = (settings: object): (() => unknown) => {
  return () => createSessions({ store: new MemoryStore(), log: false, ...settings })
}

const refused: [settings: object, advice: string | RegExp][] = [
  [
    { idleTimeout: 3600 },
    "idleTimeout must be a duration with its unit, such as '30m', '1h' or '14d'",
  ],
  [{ idleTimeout: '1 h' }, 'it is "1 h"'],
  [{ idleTimeout: '1H' }, "'30m'"],
  [{ idleTimeout: '-1h' }, "'30m'"],
  [{ idleTimeout: Number.NaN }, 'the bare number NaN'],
  [{ idleTimeout: '0s' }, "idleTimeout must be between '1ms' and '3650d'; it is '0s'."],
  [{ idleTimeout: '9999d' }, "between '1ms' and '3650d'"],
  [
    { idleTimeout: '2h', absoluteTimeout: '1h' },
    /absoluteTimeout \('1h'\) is shorter than idleTimeout \('2h'\).*Write absoluteTimeout: '2h' or more/,
  ],
  [{ absoluteTimeout: '59m' }, "Write absoluteTimeout: '1h' or more, or a shorter idleTimeout."],
  [{ absoluteTimeout: 'never' }, 'absoluteTimeout must be a duration with its unit'],
  [{ touchInterval: '31m' }, "Write touchInterval: '1m', or leave it out."],
  [{ touchInterval: 60 }, 'touchInterval must be a duration'],
  [{ renewInterval: 900 }, 'renewInterval must be a duration with its unit'],
  [{ renewInterval: 'none' }, 'renewInterval must be a duration with its unit'],
  [
    { renewInterval: '31d' },
    /renewInterval \('31d'\) is longer than absoluteTimeout \('30d'\).*Write renewInterval: '180h', or/,
  ],
  [{ renewGrace: 'never' }, 'renewGrace must be a duration with its unit'],
  [
    { renewInterval: '15m', renewGrace: '450s' },
    /renewGrace \('450s'\) must be shorter than half of renewInterval \('15m'\).*Write renewInterval: '30m' or a shorter renewGrace/,
  ],
  [{ renewInterval: '1m' }, "renewGrace ('30s') must be shorter than half of renewInterval ('1m')"],
  [{ purgeInterval: 600_000 }, 'the bare number 600000'],
  [{ limits: { keys: 0 } }, 'limits.keys must be a whole number of at least 1; it is 0.'],
  [{ largeEntries: 3e9 }, 'largeEntries must be at most 2147483647; it is 3000000000.'],
  [{ limits: { valueBytes: 1.5 } }, 'it is 1.5'],
  [{ limits: { sessionBytes: Number.POSITIVE_INFINITY } }, 'it is Infinity'],
  [
    { limits: { sessionBytes: 10 } },
    /limits.valueBytes \(1048576\) is more than limits.sessionBytes \(10\)/,
  ],
  [{ limits: { valueByte: 10 } }, 'limits has no option "valueByte". Did you mean valueBytes?'],
  [{ pepper: '' }, 'A pepper must be a string of at least 32 characters'],
  [{ pepper: 'x'.repeat(31) }, 'openssl rand -base64 32'],
  [{ pepper: ['x'.repeat(32), 'short'] }, 'at least 32 characters'],
  [{ pepper: [7] }, 'at least 32 characters'],
  [{ pepper: [undefined, 'x'.repeat(32)] }, 'Put the key for new tokens first'],
  [{ pepper: ['', 'x'.repeat(32)] }, 'at least 32 characters'],
  [{ pepper: undefined }, 'pepper is undefined. Is its environment variable set?'],
  [{ pepper: [] }, 'pepper has no current key'],
  [{ log: {} }, 'it lacks debug'],
  [{ log: { debug() {}, info() {}, error() {} } }, 'it lacks warn'],
  [{ log: true }, 'or false for none'],
  [{ cookie: { name: 'a b' } }, 'cookie.name must be 1 to 64 of letters'],
  [{ cookie: { sameSite: 'none', secure: false } }, 'cookie.sameSite'],
  [{ cookie: { httpOnly: false } }, 'The cookie is always HttpOnly.'],
  [{ idletimeout: '1h' }, 'createSessions has no option "idletimeout". Did you mean idleTimeout?'],
  [{ 'idle-timeout': '1h' }, 'Did you mean idleTimeout?'],
  [{ absolutTimeuot: '1h' }, 'Did you mean absoluteTimeout?'],
  [
    { zzz: 1 },
    /^createSessions has no option "zzz"\. Its options are absoluteTimeout, .*, waitUntil\.$/,
  ],
  [{ constructor: 1 }, 'createSessions has no option "constructor"'],
  [{ timeout: '1h' }, "Set idleTimeout: '1h'"],
  [{ maxAge: 1000 }, "set idleTimeout: '1h'"],
  [{ secret: 'keyboard cat' }, 'Tokens need no signature.'],
  [
    { tables: { session_data: 'x' } },
    'tables has no option "session_data". Did you mean sessionData?',
  ],
  [{ cookie: { samesite: 'lax' } }, 'cookie has no option "samesite". Did you mean sameSite?'],
  [{ codec: 'json' }, 'codec must be a codec, such as jsonCodec or structuredCloneCodec'],
  [{ codec: JSON }, 'codec must be a codec'],
  [{ tokens: { issue() {} } }, 'tokens must be an object with the methods issue, reissue and read'],
  [{ citus: true }, 'Write distributed: true.'],
  [{ schema: 'web' }, 'schema is a setting of PostgreSQL'],
  [{ distributed: true }, 'distributed is a setting of PostgreSQL'],
  [{ deadline: '2s' }, 'deadline is a setting of PostgreSQL'],
  [{ database: {} }, 'createSessions needs either a database'],
  [{ store: undefined }, '{ database: fromPg(pool) }'],
  [{ store: MemoryStore }, 'such as { store: new MemoryStore() }'],
  [{ store: undefined, database: 'postgres://localhost/shop' }, 'database must be a driver'],
  [{ store: undefined, database: new Pool() }, 'database must be a driver'],
]

it.each(refused)('refuses %j at construction, and says what to write', (settings, advice) => {
  expect(create(settings)).toThrow(ConfigurationError)
  expect(create(settings)).toThrow(advice)
})

it('refuses to be called without settings, and says what to write', () => {
  expect(() => createSessions(undefined as never)).toThrow('createSessions needs either a database')
})

it('takes a setting that is undefined for one that is left out', () => {
  const database = { query: async () => [], withConnection: async () => [] } as never
  const settings: object = { store: undefined, idleTimeout: undefined }
  const make = (): unknown => createSessions({ ...settings, database, log: false })
  expect(make).not.toThrow()
})

const refusedByStore: [options: object, advice: string | RegExp][] = [
  [{ migrate: 'yes' }, `migrate must be 'auto', 'check' or 'off'; it is "yes".`],
  [{ deadline: 5000 }, 'deadline must be a duration with its unit'],
  [{ deadLine: '5s' }, 'new PostgresStore has no option "deadLine". Did you mean deadline?'],
  [{ groupCommit: 'no' }, 'groupCommit must be true or false; it is "no".'],
  [{ tables: { sessions: 'x' } }, 'tables has no option "sessions". Did you mean session?'],
  [{ driver: undefined }, '{ driver: fromPg(pool) }'],
  [{ driver: new Pool() }, 'driver must be a driver'],
  [{ driver: 'postgres://ann:secret@db/shop' }, /^driver must be a driver(?!.*secret)/],
]

it.each(refusedByStore)('PostgresStore refuses %j, and says what to write', (options, advice) => {
  const driver = { query: async () => [], withConnection: async () => [] }
  const make = (): unknown => new PostgresStore({ driver, ...options } as never)
  expect(make).toThrow(ConfigurationError)
  expect(make).toThrow(advice)
})

it('shows no address that stands in the place of settings', () => {
  const make = (): unknown => new PostgresStore('postgres://ann:secret@db/shop' as never)
  expect(make).toThrow('The options of new PostgresStore must be an object')
  expect(make).not.toThrow('secret')
})

it('no message quotes a pepper', () => {
  const pepper = 'too-short-but-still-a-secret'
  expect(create({ pepper })).toThrow(ConfigurationError)
  expect(create({ pepper })).not.toThrow(pepper)
})

it('takes settings at the edge of what they may be', () => {
  for (const settings of [
    { idleTimeout: '1h', absoluteTimeout: '1h' },
    { idleTimeout: '1.5h' },
    { idleTimeout: '60d' }, // longer than the default absolute timeout, which follows
    { idleTimeout: '3650d', absoluteTimeout: 'none' },
    { idleTimeout: '1ms' },
    { idleTimeout: '1h', touchInterval: '30m' },
    { renewInterval: 'never', renewGrace: '1h' },
    { renewInterval: '30d', absoluteTimeout: '30d' },
    { renewInterval: '61s' },
    { renewInterval: '15m', renewGrace: '449s' },
    { limits: { keys: 1, valueBytes: 1, sessionBytes: 1 } },
    { pepper: 'x'.repeat(32) },
    { pepper: ['x'.repeat(32), undefined] },
    { pepper: ['x'.repeat(32), ''] },
    { log: console },
    { cookie: {} },
  ]) {
    expect(create(settings), inspect(settings)).not.toThrow()
  }
})

it('a mode of migration that there is not is refused', () => {
  const make = (): unknown =>
    createSessions({
      database: { query: async () => [], withConnection: async () => [] } as never,
      migrate: 'always' as 'auto',
    })
  expect(make).toThrow(`migrate must be 'auto', 'check' or 'off'; it is "always".`)
})

it('the defaults are those of the original: an hour, 24 bytes, tables made, stdout, ten minutes', () => {
  expect(defaultSettings).toMatchObject({
    idleTimeout: '1h',
    absoluteTimeout: '30d',
    migrate: 'auto',
    purgeInterval: '10m',
    limits: { valueBytes: 1_048_576, sessionBytes: 4_194_304, keys: 1000 },
  })
  expect(Buffer.from(defaultSettings.generateSecret(), 'base64url')).toHaveLength(24)
})

it('the defaults are frozen, and can be spread into settings of any store', () => {
  expect(Object.isFrozen(defaultSettings)).toBe(true)
  expect(Object.isFrozen(defaultSettings.limits)).toBe(true)
  expect(() => Object.assign(defaultSettings, { idleTimeout: '9h' })).toThrow(TypeError)
  expect(create({ ...defaultSettings, idleTimeout: '20m' })).not.toThrow()
})

it('says once, when the sessions are made, that their cookies travel over plain http', () => {
  const warnings: string[] = []
  const log = {
    debug() {},
    info() {},
    error() {},
    warn: (_: object, m: string) => warnings.push(m),
  }
  createSessions({ store: new MemoryStore(), log })
  expect(warnings).toEqual([])
  const sessions = createSessions({ store: new MemoryStore(), log, cookie: { development: true } })
  sessions.open(null).session.set('a', 1)
  sessions.open(null).session.set('a', 1)
  expect(warnings).toEqual([
    'session cookies also travel over plain http; use this for development on localhost only',
  ])
})
