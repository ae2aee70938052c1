import Koa from 'koa'
import session from 'koa-session'
import type { SidCommonOptions } from 'pg-sessions/koa-session'
import { KoaSessionStore } from 'pg-sessions/koa-session'
import { describe, expect, it } from 'vitest'
import { serve } from '../adapters/listen.ts'
import { Browser } from './browser.ts'
import { gated } from './gate.ts'
import { eachGround, type Ground, type Grounds } from './grounds.ts'
import { logOutMeanwhile, setKeysAtOnce } from './shared-stories.ts'

interface TheirSession extends Record<string, unknown> {
  maxAge: number
  regenerate(): Promise<void>
  toJSON(): object
}

type Handler = (context: Koa.Context, session: TheirSession) => Promise<void> | void

eachGround((grounds) => {
  describe('koa-session on Koa 3 with KoaSessionStore', () => {
    it('parallel requests that each set another key keep all', async () => {
      const { browser } = await open(grounds)
      await setKeysAtOnce(browser(), 20)
    })

    it('a deleted key goes, and logout while a slow request is in flight stays a logout', async () => {
      const gate = gated()
      const { browser, ground } = await open(
        grounds,
        {},
        {
          '/slow': async (context, session) => {
            session.late = 'yes'
            await gate.wait()
            context.body = 'done'
          },
        },
      )
      await logOutMeanwhile(browser(), gate)
      expect((await ground.watched.store.count()).live).toBe(0)
    })

    it('rolling writes nothing inside the touch interval, and extends the session after it', async () => {
      const options = { touchInterval: '10m' } as const
      const { browser, ground } = await open(grounds, options, {}, { rolling: true, maxAge: HOUR })
      const ann = browser()
      await ann.get('/set/a/1')
      ground.watched.calls.length = 0
      expect((await ann.get('/read')).setCookies).not.toHaveLength(0)
      expect(ground.watched.calls).toEqual(['load'])
      for (let step = 0; step < 3; step++) {
        await ground.elapse(HOUR / 2)
        expect(await ann.json('/read')).toEqual({ a: '1' })
      }
      // koa-session lets it live in the very millisecond in which it ends.
      await ground.elapse(HOUR + 1)
      expect(await ann.json('/read')).toEqual({})
    })

    it('renew extends a session in its second half, and a maxAge of its own is kept', async () => {
      const { browser, ground } = await open(
        grounds,
        {},
        {
          '/remember': (context, session) => {
            session.maxAge = 10 * HOUR
            context.body = 'remembered'
          },
        },
        { renew: true, maxAge: HOUR },
      )
      const ann = browser()
      await ann.get('/set/a/1')
      await ground.elapse(0.6 * HOUR)
      await ann.get('/read')
      await ground.elapse(0.6 * HOUR)
      expect(await ann.json('/read')).toEqual({ a: '1' })
      await ann.get('/remember')
      await ground.elapse(9 * HOUR)
      expect(await ann.json('/read')).toEqual({ a: '1' })
    })

    it('regenerate keeps what it holds under a new key, and the old one is dead', async () => {
      const { browser } = await open(
        grounds,
        {},
        {
          '/regenerate': async (context, session) => {
            await session.regenerate()
            context.body = 'done'
          },
        },
      )
      const ann = browser()
      await ann.get('/set/a/1')
      const planted = ann.twin()
      await ann.get('/regenerate')
      expect(await ann.json('/read')).toEqual({ a: '1' })
      expect(await planted.json('/read')).toEqual({})
    })

    it('works without a request, as a whole session then', async () => {
      const { store } = await open(grounds)
      await store.set('key', { a: 1, b: 2 })
      await store.set('key', { b: 3 }, 60_000)
      expect(await store.get('key')).toEqual({ b: 3 })
      await store.destroy('key')
      expect(await store.get('key')).toBeUndefined()
    })
  })
})

const HOUR = 3_600_000

async function open(
  grounds: Grounds,
  options: SidCommonOptions = {},
  routes: Record<string, Handler> = {},
  middleware: object = {},
): Promise<{ browser(): Browser; ground: Ground; store: KoaSessionStore }> {
  const ground = await grounds.lay()
  const store = new KoaSessionStore({
    store: ground.watched.store,
    log: false,
    purgeInterval: 'never',
    ...options,
  })
  const app = new Koa()
  app.keys = ['a key']
  app.use(session({ store, ...middleware }, app))
  app.use(async (context) => {
    const their = Reflect.get(context, 'session') as unknown as TheirSession
    const [, action, key = '', value] = context.path.split('/')
    context.body = action
    if (action === 'set') their[key] = value
    else if (action === 'delete') delete their[key]
    else if (action === 'read') context.body = their.toJSON()
    else if (action === 'logout') Reflect.set(context, 'session', null)
    else await routes[context.path]?.(context, their)
  })
  const running = grounds.closing(await serve(app.callback()))
  return { browser: () => new Browser(running.origin), ground, store }
}
