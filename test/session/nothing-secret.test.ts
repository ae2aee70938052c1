import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { LimitExceededError, SessionGoneError, StoreUnavailableError } from 'pg-sessions'
import { expect, it } from 'vitest'
import { eachStore } from '../support/each-store.ts'

const VALUE = 'sw0rdfish-of-the-deep'

/** Everything that a program could print of an object. */
function shown(object: unknown): string {
  return [
    inspect(object, { depth: null, showHidden: true, maxStringLength: null, getters: false }),
    inspect(object, { depth: null, customInspect: false, maxStringLength: null }),
    JSON.stringify(object) ?? '',
    String(object),
    object instanceof Error ? String(object.stack) : '',
  ].join('\n')
}

/** A token in every form in which it could leak. */
function formsOf(token: string): string[] {
  const secret = token.slice(22)
  const hash = createHash('sha256').update(secret).digest()
  const bytes = [...hash].join(', ')
  return [token, secret, hash.toString('hex'), hash.toString('base64url'), bytes]
}

eachStore((open) => {
  it('no printed session, exchange, store or sessions shows a token, a hash or a value', async () => {
    const { visitor, sessions, watched } = await open({ pepper: `pepper ${VALUE}`.padEnd(40, '!') })
    const ann = visitor()
    const first = ann.open()
    first.session.set('password', VALUE)
    await first.session.signIn('ann')
    await first.commit()
    const request = ann.open()
    await request.session.load()
    expect(await request.session.get('password')).toBe(VALUE)
    request.session.set('other', VALUE)
    request.session.rotate()

    const objects = { sessions, store: watched.store, first, request }
    for (const [name, object] of Object.entries(objects)) {
      for (const secret of [VALUE, ...formsOf(String(ann.token))]) {
        expect(shown(object), name).not.toContain(secret)
      }
    }
  })

  it('a session prints as its id and user, and as nothing before it is loaded', async () => {
    const { visitor, watched } = await open()
    const ann = visitor()
    await ann.visit((session) => session.signIn('ann'))
    watched.calls.length = 0
    const { session } = ann.open()
    expect(JSON.stringify(session)).toBe('{"id":null,"userId":null}')
    expect(watched.calls, 'printing asks for nothing').toEqual([])
    await session.load()
    expect(JSON.parse(JSON.stringify({ session }))).toEqual({
      session: { id: session.id, userId: 'ann' },
    })
  })

  it('no event, no log line and no error shows a token, a hash or a value', async () => {
    const { visitor, sessions, watched, events, lines, elapse } = await open({
      idleTimeout: '1h',
      limits: { valueBytes: 100, keys: 5 },
    })
    const tokens = new Set<string>()
    const errors: unknown[] = []
    const ann = visitor()
    const attempt = async (work: () => unknown): Promise<void> => {
      await (async () => work())().catch((error: unknown) => errors.push(error))
      if (ann.token !== null) tokens.add(ann.token)
    }
    await attempt(() => ann.visit((session) => session.set('password', VALUE)))
    await attempt(() => ann.visit((session) => session.rotate()))
    await attempt(() => ann.visit((session) => session.signIn('ann')))
    await attempt(() => ann.visit((session) => session.set('password', VALUE.repeat(10))))
    await attempt(() => ann.visit((session) => session.set('password', [VALUE, undefined])))
    await attempt(() =>
      ann.visit((session) => {
        for (let key = 0; key < 9; key += 1) session.set(`key ${key}`, VALUE)
      }),
    )
    watched.fail('load', new StoreUnavailableError('no answer', 'none'))
    await attempt(() => ann.visit((session) => session.load()))
    await attempt(async () => {
      const late = ann.twin().open()
      await late.session.load()
      await ann.visit((session) => session.clear())
      late.session.set('password', VALUE)
      await late.commit()
    })
    await attempt(() => visitor(`${ann.token}!`).visit((session) => session.load()))
    await attempt(() => visitor('A'.repeat(54)).visit((session) => session.load()))
    await elapse(3_600_000)
    await attempt(() => ann.visit((session) => session.load()))
    await attempt(() => sessions.purge())
    await attempt(() => sessions.close())
    await attempt(() => ann.visit((session) => session.get('password')))

    expect(tokens.size).toBe(4)
    expect(errors.map((error) => (error as Error).name)).toEqual([
      LimitExceededError.name,
      'InvalidValueError',
      LimitExceededError.name,
      StoreUnavailableError.name,
      SessionGoneError.name,
      'SessionsClosedError',
    ])
    expect(new Set(events.map(([name]) => name)).size).toBeGreaterThan(8)
    const secrets = [VALUE, ...[...tokens].flatMap(formsOf)]
    for (const object of [...errors, ...events, ...lines]) {
      for (const secret of secrets) expect(shown(object)).not.toContain(secret)
    }
  })
})
