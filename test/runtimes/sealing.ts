import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import type pg from 'pg'
import { createSessions, type SealKeyInput, type Sessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import type { TestRunner } from 'pg-sessions/testing'

interface Data {
  note: string
}

const bytes = (start: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, n) => (n * 37 + start) % 256)

/** A session that Node 20 has stored with the note `sealed on Node`, by the first key. Its token names its id. */
const STORED = {
  id: '01a22e33-ea97-7564-862f-d454b8008ac8',
  cookie: '__Host-id=AaIuM-qXdWSGL9RUuACKyAmXOwq2kypiLbltg2Vx-sEbSf0Jt7g6RC',
  hash: 'f0d62b79625c58412cc6ee3e5e7528aaa7ba861f22746ea2344460e482b535e3',
  value:
    '007365616cde92c31c96842da8b9d1becf436460769f9a753735bc0e2b617345676eb058af5a51d4fe6914df6801af7d64ce06c56d0b28ff1c',
}

/** Values are sealed by the runtime's own cryptography, and every runtime opens those of the others. */
export function sealingTests({ describe, it }: TestRunner, driver: Driver, admin: pg.Pool): void {
  const keys: Record<string, () => SealKeyInput | Promise<SealKeyInput>> = {
    bytes: () => bytes(0),
    'a CryptoKey': () => cryptoKey(bytes(0)),
  }
  for (const [what, key] of Object.entries(keys)) {
    describe(`values sealed with ${what}`, () => {
      it('are hidden in the database, and open with their key alone', async () => {
        await using own = open(driver, await key())
        const { cookie, id } = await signIn(own.sessions)
        await change(own.sessions, cookie, 'a pair of red shoes')
        const stored = await storedValue(admin, id)
        assert.equal(stored.includes('red shoes'), false)
        assert.equal(await own.sessions.open(cookie).session.get('note'), 'a pair of red shoes')
        assert.deepEqual(own.failures, [])
        await using other = open(driver, bytes(1))
        assert.equal(await other.sessions.open(cookie).session.get('note'), undefined)
        assert.deepEqual(other.failures, ['unknownKey'])
      })

      it('count as absent once a bit is changed', async () => {
        await using own = open(driver, await key())
        const { cookie, id } = await signIn(own.sessions)
        await change(own.sessions, cookie, 'a pair of red shoes')
        const stored = await storedValue(admin, id)
        const last = stored.length - 1
        stored[last] = (stored[last] as number) ^ 1
        await replace(admin, id, stored)
        assert.equal(await own.sessions.open(cookie).session.get('note'), undefined)
        assert.deepEqual(own.failures, ['notAuthentic'])
      })

      it('open when another runtime has sealed them', async () => {
        await using own = open(driver, await key())
        const { id } = await signIn(own.sessions)
        await admin.query('delete from sessions.session where id = $1', [STORED.id])
        await admin.query('update sessions.session set id = $2, secret_hash = $3 where id = $1', [
          id,
          STORED.id,
          Buffer.from(STORED.hash, 'hex'),
        ])
        await change(own.sessions, STORED.cookie, 'replaced below')
        await replace(admin, STORED.id, Buffer.from(STORED.value, 'hex'))
        const note = await own.sessions.open(STORED.cookie).session.get('note')
        assert.deepEqual(own.failures, [])
        assert.equal(note, 'sealed on Node')
      })
    })
  }
}

function open(
  driver: Driver,
  key: SealKeyInput,
): { sessions: Sessions<Data>; failures: string[] } & AsyncDisposable {
  const sessions = createSessions<Data>({ database: driver, log: false, seal: { keys: [key] } })
  const failures: string[] = []
  sessions.on('unsealFailed', ({ reason }) => failures.push(reason))
  return { sessions, failures, [Symbol.asyncDispose]: () => sessions.close() }
}

async function cryptoKey(key: Uint8Array): Promise<SealKeyInput> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return webcrypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
}

async function signIn(sessions: Sessions<Data>): Promise<{ cookie: string; id: string }> {
  const exchange = sessions.open(null)
  await exchange.session.signIn('ann')
  const { setCookies } = await exchange.commit()
  return { cookie: setCookies[0]?.split(';')[0] ?? '', id: exchange.session.id as string }
}

async function change(sessions: Sessions<Data>, cookie: string, note: string): Promise<void> {
  const exchange = sessions.open(cookie)
  exchange.session.set('note', note)
  await exchange.commit()
}

async function storedValue(admin: pg.Pool, id: string): Promise<Buffer> {
  const { rows } = await admin.query<{ value: Buffer }>(
    'select value from sessions.session_data where session_id = $1',
    [id],
  )
  return rows[0]?.value as Buffer
}

async function replace(admin: pg.Pool, id: string, value: Buffer): Promise<void> {
  await admin.query('update sessions.session_data set value = $2 where session_id = $1', [
    id,
    value,
  ])
}
