import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSessions, MemoryStore, type Session, StoreUnavailableError } from 'pg-sessions'
import { reactRouterSessionStorage, reactRouterSessions } from 'pg-sessions/react-router'
import { createContext, type LoaderFunctionArgs, redirect, type SessionStorage } from 'react-router'
import { serve, serverBuild, streamOf } from './application.ts'

const sessionContext = createContext<Session>()

type Loader = (session: Session, args: LoaderFunctionArgs) => unknown

interface Circumstances {
  readonly store?: MemoryStore
  readonly method?: string
  /** Called when the head of the answer has arrived. */
  readonly onHead?: () => void
}

interface Outcome {
  readonly answer: Response
  readonly text: string
  /** What `handleError` was given. */
  readonly told: unknown[]
}

/** Asks for one of two routes with the same loader and action: a document, and a resource. */
async function ask(
  path: string,
  loader: Loader,
  { store = new MemoryStore(), method = 'GET', onHead }: Circumstances = {},
): Promise<Outcome> {
  const sessions = createSessions({ store, log: false })
  const middleware = reactRouterSessions(sessions, sessionContext)
  const load = (args: LoaderFunctionArgs): unknown => loader(args.context.get(sessionContext), args)
  const told: unknown[] = []
  const build = serverBuild(
    { default: () => null, middleware, loader: load },
    {
      document: { default: () => null, loader: load, action: load },
      resource: { default: undefined, loader: load, action: load },
    },
    {
      handleError: (error) => void told.push(error),
      default(_request, status, headers, { staticHandlerContext }) {
        const { loaderData, errors } = staticHandlerContext
        const body = streamOf(rendered(errors ?? Object.values(loaderData)))
        return new Response(body, { status, headers })
      },
    },
  )
  const { origin, close } = await serve(build)
  try {
    const answer = await fetch(new URL(path, origin), { method, redirect: 'manual' })
    onHead?.()
    return { answer, text: await answer.text(), told }
  } finally {
    await close()
    await sessions.close()
  }
}

/** Sends what there is at once, and what was promised when it comes. */
async function* rendered(content: object): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  yield encoder.encode(JSON.stringify(content))
  for (const value of Object.values(content)) {
    if (value?.promised !== undefined) yield encoder.encode(String(await value.promised))
  }
}

function unsavable(): MemoryStore {
  const store = new MemoryStore()
  store.create = () => Promise.reject(new StoreUnavailableError('The store is away.', 'none'))
  return store
}

function outcomeOf(change: () => void): string {
  try {
    change()
    return 'changed'
  } catch (error) {
    return String(Reflect.get(Object(error), 'code'))
  }
}

describe('routes of React Router', () => {
  for (const path of ['/document', '/resource']) {
    it(`sends the cookie with a redirect that ${path} throws`, async () => {
      const { answer } = await ask(path, (session) => {
        session.set('clicks', 1)
        throw redirect('/there')
      })
      assert.equal(answer.status, 302)
      assert.equal(answer.headers.get('location'), '/there')
      assert.match(answer.headers.getSetCookie().join(), /^__Host-id=/)
    })
  }

  it('sends the cookie with a response whose headers cannot be changed', async () => {
    const { answer } = await ask('/resource', (session, { request }) => {
      session.set('clicks', 1)
      return Response.redirect(new URL('/there', request.url), 302)
    })
    assert.match(answer.headers.getSetCookie().join(), /^__Host-id=/)
  })

  it('sends the cookie with what a navigation in the browser asks for', async () => {
    const { answer } = await ask(
      '/document.data',
      (session) => {
        session.set('clicks', 1)
        throw redirect('/there')
      },
      { method: 'POST' },
    )
    assert.equal(answer.status, 202)
    assert.match(answer.headers.getSetCookie().join(), /^__Host-id=/)
  })

  it('gives all loaders of a request one session', async () => {
    const seen: Session[] = []
    const { text } = await ask('/document', (session) => {
      seen.push(session)
      return null
    })
    assert.equal(text, '[null,null]')
    assert.equal(seen.length, 2)
    assert.equal(seen[0], seen[1])
  })

  it('shows an error boundary the status of a failed save, and tells handleError of it', async () => {
    const { answer, text, told } = await ask(
      '/document',
      (session) => session.set('clicks', 1) ?? null,
      {
        store: unsavable(),
      },
    )
    assert.equal(answer.status, 503)
    assert.equal(answer.headers.get('vary'), 'Cookie')
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.match(text, /"status":503/)
    assert.equal(
      Reflect.get(Object(Reflect.get(Object(told[0]), 'error')), 'code'),
      'ERR_STORE_UNAVAILABLE',
    )
    assert.equal(told.length, 1)
  })

  it('answers a navigation in the browser with the status of a failed save', async () => {
    const { answer, text } = await ask(
      '/document.data',
      (session) => session.set('clicks', 1) ?? null,
      {
        store: unsavable(),
      },
    )
    assert.equal(answer.status, 503)
    assert.equal(answer.headers.get('x-remix-response'), 'yes')
    assert.match(text, /ErrorResponse/)
  })

  it('answers in plain text when the save of a resource route fails', async () => {
    const { answer, text } = await ask(
      '/resource',
      (session) => session.set('clicks', 1) ?? 'changed',
      {
        store: unsavable(),
      },
    )
    assert.equal(answer.status, 503)
    assert.equal(text, 'The session could not be saved. Please try again later.')
    assert.equal(answer.headers.get('vary'), 'Cookie')
    assert.deepEqual(
      [...answer.headers.keys()].filter((name) => name.startsWith('x-')),
      [],
    )
  })

  it('refuses the first value of a visitor that comes while the document streams', async () => {
    let passGate = (): void => {}
    const gate = new Promise<void>((pass) => {
      passGate = pass
    })
    const late = async (session: Session): Promise<string> => {
      await gate
      await session.load()
      return outcomeOf(() => session.set('clicks', 1))
    }
    const { answer, text } = await ask('/document', (session) => ({ promised: late(session) }), {
      onHead: passGate,
    })
    assert.deepEqual(answer.headers.getSetCookie(), [])
    assert.match(text, /ERR_RESPONSE_STARTED/)
  })
})

describe('reactRouterSessionStorage', () => {
  interface Data {
    name: string
    count: number
  }
  interface FlashData {
    notice: string
  }
  const storageOn = (store = new MemoryStore()) =>
    reactRouterSessionStorage<Data, FlashData>(createSessions<Data>({ store, log: false }))
  const cookieOf = (line: string): string => line.split(';')[0] ?? ''

  it('is a SessionStorage of React Router', async () => {
    const storage: SessionStorage<Data, FlashData> = storageOn()
    const session = await storage.getSession(null)
    assert.equal(session.id, '')
    session.set('name', 'ann')
    const line = await storage.commitSession(session)
    assert.match(line, /^__Host-id=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    const again = await storage.getSession(cookieOf(line))
    assert.equal(again.get('name'), 'ann')
    assert.deepEqual(again.data, { name: 'ann' })
    assert.notEqual(again.id, '')
    assert.match(await storage.destroySession(again), /^__Host-id=; .*Max-Age=0/)
    assert.equal((await storage.getSession(cookieOf(line))).has('name'), false)
  })

  it('leaves the cookie alone when a commit brings no new one', async () => {
    const { getSession, commitSession } = storageOn()
    assert.equal(await commitSession(await getSession('')), '')
    const session = await getSession('')
    session.set('name', 'ann')
    const cookie = cookieOf(await commitSession(session))
    const again = await getSession(cookie)
    again.set('name', 'bob')
    assert.equal(await commitSession(again), '')
    assert.equal((await getSession(cookie)).get('name'), 'bob')
  })

  it('gives what was flashed once, and keeps what others changed meanwhile', async () => {
    const { getSession, commitSession } = storageOn()
    const first = await getSession()
    first.flash('notice', 'Welcome.')
    const cookie = cookieOf(await commitSession(first))
    const [one, two] = [await getSession(cookie), await getSession(cookie)]
    assert.equal(one.has('notice'), true)
    assert.equal(one.get('notice'), 'Welcome.')
    assert.equal(one.get('notice'), undefined)
    two.set('count', 2)
    await commitSession(one)
    await commitSession(two)
    const last = await getSession(cookie)
    assert.deepEqual([last.has('notice'), last.get('count')], [false, 2])
  })

  it('gives a new token at sign-in, after which the old one is dead', async () => {
    const { getSession, commitSession, of } = storageOn()
    const visitor = await getSession()
    visitor.set('count', 1)
    const old = cookieOf(await commitSession(visitor))
    const session = await getSession(old)
    await of(session).signIn('ann')
    const cookie = cookieOf(await commitSession(session))
    assert.notEqual(cookie, old)
    assert.equal((await getSession(cookie)).get('count'), 1)
    assert.equal((await getSession(old)).get('count'), undefined)
  })

  it('refuses options that would change the cookie, and sessions of other storages', async () => {
    const { getSession, commitSession } = storageOn()
    await assert.rejects(commitSession(await getSession(), { maxAge: 60 }), /maxAge is a matter of/)
    const stranger = await storageOn().getSession()
    await assert.rejects(async () => commitSession(stranger), /comes from another storage/)
  })
})
