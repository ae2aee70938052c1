import { createSessions, MemoryStore, type Session, type Sessions } from 'pg-sessions'
import { expressSessions } from 'pg-sessions/express'
import { withSession } from 'pg-sessions/fetch'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { typeCheck } from '../documents/type-check.ts'

interface Data {
  basket: string[]
  visits: number
  note?: string
}

const sessions: Sessions<Data> = createSessions<Data>({ store: new MemoryStore(), log: false })

describe('with the type given to createSessions', () => {
  it('each key has its own type, and may be absent', () => {
    type S = Session<Data>
    const get = (session: S) => ({
      basket: session.get('basket'),
      visits: session.take('visits'),
      note: session.get('note'),
    })
    expectTypeOf<ReturnType<typeof get>>().toEqualTypeOf<{
      basket: Promise<string[] | undefined>
      visits: Promise<number | undefined>
      note: Promise<string | undefined>
    }>()
    expectTypeOf<S['data']>().toEqualTypeOf<Readonly<Partial<Data>>>()
    expectTypeOf<Awaited<ReturnType<S['entries']>>>().toExtend<
      [keyof Data, string[] | number | string | undefined][]
    >()
  })

  it('what does not fit does not compile', async () => {
    const { session } = sessions.open(null)
    session.set('basket', ['apple'])
    await session.update('visits', (visits = 0) => visits + 1)
    await session.update('visits', () => undefined)
    const wrong = [
      // @ts-expect-error: there is no such key.
      () => session.set('baskte', []),
      // @ts-expect-error: a list of texts is not a list of numbers.
      () => session.set('basket', [1]),
      // @ts-expect-error: there is no such key.
      () => session.get('baskte'),
      // @ts-expect-error: a number it was.
      () => session.update('visits', (visits = 0) => `${visits}`),
      () => {
        // @ts-expect-error: what is read is not to be written.
        session.data.visits = 1
      },
      // @ts-expect-error: a bare number is not a duration.
      () => session.setLifetime({ idleTimeout: 3600 }),
    ]
    expect(wrong).toHaveLength(6)
  })

  it('adapters hand the type on', () => {
    const typed = expressSessions(sessions)
    expectTypeOf(typed.of).returns.toEqualTypeOf<Session<Data>>()
    withSession(sessions, (_request, session) => {
      expectTypeOf(session).toEqualTypeOf<Session<Data>>()
      return new Response()
    })
  })
})

describe('without any type', () => {
  it('any key goes, and what is read is unknown', async () => {
    const untyped = createSessions({ store: new MemoryStore(), log: false })
    const { session } = untyped.open(null)
    session.set('anything', { at: 'all' })
    await session.load()
    expectTypeOf(session.get('anything')).toEqualTypeOf<Promise<unknown>>()
    expectTypeOf(session.data).toEqualTypeOf<Readonly<Partial<Record<string, unknown>>>>()
  })
})

describe('with the module augmented', () => {
  it('every session has the declared keys, also the one on req.session, and no other', async () => {
    const application = `
      import { createSessions, MemoryStore } from 'pg-sessions'
      import { expressSessions } from 'pg-sessions/express'
      import type { Request } from 'express'

      declare module 'pg-sessions' {
        interface SessionData {
          basket: string[]
        }
      }

      const sessions = createSessions({ store: new MemoryStore() })
      export const middleware = expressSessions(sessions)
      export async function handler(req: Request): Promise<string[] | undefined> {
        req.session.set('basket', ['apple'])
        sessions.open(null).session.set('basket', [])
        return req.session.get('basket')
      }
      export function wrong(req: Request): void {
        req.session.set('basket', 7)
        req.session.set('baskte', [])
      }`
    const block = { file: 'application.md', line: 1, language: 'ts', code: application }
    expect(await typeCheck([block])).toEqual([
      expect.stringContaining("'number' is not assignable to parameter of type 'string[]'"),
      expect.stringContaining(`'"baskte"' is not assignable to parameter of type '"basket"'`),
    ])
  })
})
