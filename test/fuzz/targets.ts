import { isDeepStrictEqual } from 'node:util'
import type { Codec } from '../../src/codec/codec.ts'
import { jsonCodec } from '../../src/codec/json-codec.ts'
import { structuredCloneCodec } from '../../src/codec/structured-clone-codec.ts'
import { contentOf, withExpiry } from '../../src/compatibility/express-session/cookie-content.ts'
import { readCookie } from '../../src/cookie/cookie-header.ts'
import { type CookieSettings, resolveCookie } from '../../src/cookie/cookie-settings.ts'
import { setCookieHeader } from '../../src/cookie/set-cookie.ts'
import { type Cereal, cereal } from '../../src/haskell/cereal/index.ts'
import { waiTokens } from '../../src/haskell/wai-tokens.ts'
import { readRow } from '../../src/import/connect-pg-simple/read-row.ts'
import { type Duration, formatDuration, parseDuration } from '../../src/options/duration.ts'
import { loadOperation } from '../../src/postgres/operations/load.ts'
import { resolveTableNames } from '../../src/postgres/table-names.ts'
import { openSealedToken, sealToken } from '../../src/session/sealed-token.ts'
import { createTokens, randomToken } from '../../src/session/token.ts'

/** A parser with what it is to be fed. */
export interface FuzzTarget {
  readonly name: string
  readonly corpus: readonly (string | Uint8Array)[]
  /** @throws {Error} If the parser breaks a rule: it must refuse with an error of its own, and give back what it took. */
  readonly feed: (bytes: Buffer) => void
}

/** Fails unless an input is taken, or refused by an error of this code. */
function refusing(code: string, feed: () => void): void {
  try {
    feed()
  } catch (error) {
    if ((error as { code?: unknown }).code !== code) throw error
  }
}

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken: ${rule}`)
}

const token = 'AZKnDFC7cbK3Ewc3nqbvEgGNr6U8hLmYc0Xj2oXf5vS_u-Qz9WtPk3'
const NAME = '__Host-id'

const cookies: FuzzTarget = {
  name: 'the Cookie header',
  corpus: [
    `${NAME}=${token}`,
    `a=b; ${NAME}=${token}; ${NAME}="x"`,
    '$Version=1; __hOsT-id=',
    ';;=,=',
  ],
  feed(bytes) {
    const header = bytes.toString('latin1')
    const values = readCookie(header, NAME)
    check(new Set(values).size === values.length, 'each value once')
    for (const value of values)
      check(header.includes(`=${value}`) || header.includes('='), 'values as they stand')
    for (const value of values) check(!value.includes(';'), 'a value ends at a semicolon')
  },
}

const tokens = createTokens({ generateSecret: () => randomToken(24), peppers: [] })
const sessionTokens: FuzzTarget = {
  name: 'tokens',
  corpus: [token, tokens.issue().token, `${token}=`, token.replace('_', '/')],
  feed(bytes) {
    const text = bytes.toString('latin1')
    const presented = tokens.read(text)
    if (presented === null) return
    check(/^[\w-]{54,278}$/.test(text), 'no other alphabet')
    const id = Buffer.from(presented.id.replaceAll('-', ''), 'hex').toString('base64url')
    check(text.startsWith(id) && id.length === 22, 'one spelling of an id')
  },
}

const waiKeys = waiTokens()
const keys: FuzzTarget = {
  name: 'keys of wai-session-postgresql',
  corpus: ['13d3712f9f35'.repeat(4), '0'.repeat(24)],
  feed(bytes) {
    const text = bytes.toString('latin1')
    if (waiKeys.read(text) !== null) check(/^[0-9a-f]{24,48}$/.test(text), 'the form of a key')
  },
}

const sealed: FuzzTarget = {
  name: 'sealed tokens',
  corpus: [sealToken(token, 'before')],
  feed(bytes) {
    const opened = openSealedToken(bytes, 'before')
    check(opened === null || opened === token, 'only what was sealed opens')
  },
}

function codecTarget(codec: Codec, corpus: readonly unknown[]): FuzzTarget {
  return {
    name: `the codec ${codec.name}`,
    corpus: corpus.map((value) => codec.encode(value, 'value')),
    feed: (bytes) =>
      refusing('ERR_UNDECODABLE', () => {
        const value = codec.decode(bytes)
        refusing('ERR_INVALID_VALUE', () => {
          // Compared by what is written: an invalid date equals no other.
          const bytes = codec.encode(value, 'value')
          const again = codec.encode(codec.decode(bytes), 'value')
          check(Buffer.from(again).equals(bytes), 'what was encoded comes back')
        })
        const key = codec.decodeKey(bytes)
        check(Buffer.from(codec.encodeKey(key)).equals(bytes), 'a key has one spelling')
      }),
  }
}

const shapes: Readonly<Record<string, { readonly type: Cereal<never>; readonly sample: unknown }>> =
  {
    string: sampleOf(cereal.string, 'héllo'),
    text: sampleOf(cereal.text, 'héllo'),
    bytes: sampleOf(cereal.bytes, Buffer.from('abc')),
    integer: sampleOf(cereal.integer, -(2n ** 70n)),
    map: sampleOf(cereal.map(cereal.string, cereal.list(cereal.int64)), new Map([['ann', [3n]]])),
    maybe: sampleOf(cereal.maybe(cereal.tuple(cereal.bool, cereal.double)), [true, 0.5]),
  }

function sampleOf<Value>(
  type: Cereal<Value>,
  sample: Value,
): { readonly type: Cereal<never>; readonly sample: unknown } {
  return { type: type as unknown as Cereal<never>, sample }
}

const cerealTargets = Object.entries(shapes).map(([name, { type, sample }]): FuzzTarget => {
  const any = type as unknown as Cereal<unknown>
  return {
    name: `cereal: ${name}`,
    corpus: [any.encode(sample), Buffer.alloc(8, 0xff)],
    feed: (bytes) =>
      refusing('ERR_UNDECODABLE', () => {
        const value = any.decode(bytes)
        refusing('ERR_INVALID_VALUE', () => {
          check(
            isDeepStrictEqual(any.decode(any.encode(value)), value),
            'what was encoded comes back',
          )
        })
      }),
  }
})

const rowReading = {
  identify: () => ({ id: '0190', secretHash: new Uint8Array(32) }),
  codec: jsonCodec,
  userId: (session: Readonly<Record<string, unknown>>) => session['user'],
  ttl: 86_400_000,
}
const oldRows: FuzzTarget = {
  name: 'old rows of connect-pg-simple',
  corpus: [
    '{"cookie":{"originalMaxAge":3600000,"expires":"2027-01-01T00:00:00.000Z","path":"/"},"user":"ann","cart":[1]}',
    '{"cookie":null,"user":5,"\\u0000":"\\ud800"}',
    '[]',
  ],
  feed(bytes) {
    const row = {
      sid: 'sid',
      sess: bytes.toString(),
      version: '1',
      deadline: Date.now(),
      isLive: true,
    }
    const { content } = readRow(row, rowReading)
    if (content.status !== 'movable') return
    check(content.userId === null || content.userId.length > 0, 'a user or none')
    check(content.ownIdleTimeout === null || content.ownIdleTimeout >= 1, 'a lifetime or none')
    check(Number.isFinite(content.rememberFor), 'a mark that ends')
  },
}

const dropInCookies: FuzzTarget = {
  name: "the drop-in's cookie",
  corpus: oldRows.corpus,
  feed(bytes) {
    const session = parsed(bytes)
    if (session === null) return
    const { texts, terms } = contentOf(session, 'all', undefined, null)
    const { expiresIn, ownIdleTimeout } = terms
    check(expiresIn === null || expiresIn <= 3650 * 86_400_000, 'no endless lifetime')
    check(
      ownIdleTimeout === null || ownIdleTimeout === undefined || ownIdleTimeout >= 1,
      'a lifetime or none',
    )
    for (const text of texts.values()) JSON.parse(text)
    withExpiry(session, 1000)
  },
}

function parsed(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

const settings: FuzzTarget = {
  name: 'cookie settings',
  corpus: [
    '{"name":"__Host-id","path":"/","sameSite":"lax"}',
    '{"domain":"example.com","secure":false,"partitioned":true,"development":"shop"}',
    '{"priority":"high","persistent":true,"duplicates":"first","httpOnly":false}',
  ],
  feed(bytes) {
    const given = parsed(bytes)
    if (given === null) return
    refusing('ERR_CONFIGURATION', () => {
      const line = setCookieHeader(resolveCookie(given as CookieSettings), 'value', 60)
      check(/^[\x20-\x7e]+$/.test(line), 'one line of printable ASCII')
      check(line.split(';').length <= 10, 'no further attributes')
      check(line.includes('HttpOnly'), 'always HttpOnly')
    })
  },
}

const setCookies: FuzzTarget = {
  name: 'values of Set-Cookie',
  corpus: [token, 'a b', 'ü'],
  feed(bytes) {
    const value = bytes.toString('latin1')
    refusing('ERR_INVALID_VALUE', () => {
      const line = setCookieHeader(resolveCookie(), value, null)
      check(readCookie(line.split('; ')[0], NAME)[0] === value, 'what was set is read')
    })
  },
}

const durations: FuzzTarget = {
  name: 'durations',
  corpus: ['1h', '30m', '14d', '0.5s', '250ms', '1e3s', '-1h'],
  feed: (bytes) =>
    refusing('ERR_CONFIGURATION', () => {
      const milliseconds = parseDuration('any', bytes.toString() as Duration)
      check(milliseconds >= 1 && milliseconds <= 3650 * 86_400_000, 'a length of time')
      if (Number.isInteger(milliseconds)) {
        check(
          parseDuration('any', formatDuration(milliseconds)) === milliseconds,
          'written as read',
        )
      }
    }),
}

const load = loadOperation(resolveTableNames()).batch
const calls = [
  { token: { id: '01900000-0000-7000-8000-000000000000', secretHashes: [new Uint8Array(32)] } },
]
const answers: FuzzTarget = {
  name: 'answers of the database',
  corpus: [Buffer.alloc(150), Buffer.from(`00000001${'01'.repeat(120)}00000000`, 'hex')],
  feed(bytes) {
    const rows = [
      { proof: null, answer: bytes.toString('base64') },
      { proof: 'own', answer: '' },
    ]
    refusing('ERR_STORE_UNAVAILABLE', () => void load.read(rows, calls, 'own'))
  },
}

export const fuzzTargets: readonly FuzzTarget[] = [
  cookies,
  sessionTokens,
  keys,
  sealed,
  codecTarget(jsonCodec, [{ items: ['tea', 1.5, null] }, 'ü', true]),
  codecTarget(structuredCloneCodec, [
    new Map<unknown, unknown>([
      ['a', new Date(0)],
      ['b', 5n],
    ]),
    new Set([1]),
  ]),
  ...cerealTargets,
  oldRows,
  dropInCookies,
  settings,
  setCookies,
  durations,
  answers,
]
