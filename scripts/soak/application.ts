/** One process of an application under soak: it answers requests that come over IPC. */
import { createHash } from 'node:crypto'
import { createSessions, isSessionError, type Session, type Sessions } from 'pg-sessions'
import { openClient, TransactionFailed } from './client.ts'
import { type Answer, type Content, GRACE, type Request, type Value } from './protocol.ts'
import { Stalls } from './stalls.ts'

/** The same three keys in each process; another one seals in each. */
function sealKeys(current: number): readonly Buffer[] {
  const keys = ['a', 'b', 'c'].map((name) => createHash('sha256').update(name).digest())
  const first = current % keys.length
  return [...keys.slice(first), ...keys.slice(0, first)]
}

const [driverName = 'pg', url = '', index = '0', seals = 'false'] = process.argv.slice(2)
const client = openClient(driverName, url)
const sessions: Sessions<Content> = createSessions<Content>({
  database: client.driver,
  deadline: '2s',
  renewInterval: '20s',
  renewGrace: `${GRACE}ms`,
  touchInterval: '1s',
  maxPerUser: { count: 1, beyond: 'end-oldest' },
  ...(seals === 'true' && { seal: { keys: sealKeys(Number(index)) } }),
  log: false,
})
const stalls = new Stalls()

/** Error codes that a fault explains. */
const EXPECTED = new Set(['ERR_STORE_UNAVAILABLE', 'ERR_SESSION_GONE'])

async function answer({ number, token, act }: Request): Promise<Answer> {
  let longest = 0
  const timed = async <Result>(call: Promise<Result>): Promise<Result> => {
    const start = performance.now()
    try {
      return await call
    } finally {
      longest = Math.max(longest, performance.now() - start - stalls.since(start))
    }
  }
  const exchange = sessions.open(token === null ? undefined : `__Host-id=${token}`)
  let result: Partial<Answer> = {}
  let failure: Partial<Answer> = { outcome: 'done', isExpected: true }
  try {
    result = await perform(exchange.session, act, timed)
    await timed(exchange.commit())
  } catch (error) {
    exchange.discard()
    failure = describe(error)
  }
  const cookie = exchange.head.setCookies[0]
  const value = cookie === undefined ? undefined : /^__Host-id=([^;]*)/.exec(cookie)?.[1]
  const received = value === undefined ? {} : { token: value === '' ? null : value }
  const { id } = exchange.session.toJSON()
  return {
    number,
    outcome: 'done',
    isExpected: true,
    longest,
    id,
    ...result,
    ...failure,
    ...received,
  }
}

function describe(error: unknown): Partial<Answer> {
  if (error instanceof TransactionFailed) {
    const outcome = error.isInDoubt ? 'unknown' : 'failed'
    return { outcome, error: error.message, isExpected: true }
  }
  if (!isSessionError(error)) return { outcome: 'unknown', error: String(error), isExpected: false }
  const isUnknown = 'outcome' in error && error.outcome === 'unknown'
  const outcome = error.code === 'ERR_SESSION_GONE' ? 'refused' : isUnknown ? 'unknown' : 'failed'
  return { outcome, error: `${error.code}: ${error.message}`, isExpected: EXPECTED.has(error.code) }
}

type Timed = <Result>(call: Promise<Result>) => Promise<Result>

async function perform(
  session: Session<Content>,
  act: Request['act'],
  timed: Timed,
): Promise<Partial<Answer>> {
  switch (act.kind) {
    case 'read': {
      await timed(session.load())
      const content = Object.fromEntries(await timed(session.entries())) as Content
      const isElevated = await session.elevatedWithin('1d')
      return { content, user: session.userId, isElevated }
    }
    case 'set':
      session.set(act.key, act.value)
      return {}
    case 'delete':
      await timed(session.load())
      session.delete(act.key)
      return {}
    case 'remove':
      await timed(session.update(act.key, () => undefined))
      return {}
    case 'add': {
      const { tag } = act
      await timed(
        session.update('count', (now) => ({ tag: now?.tag ?? tag, n: (now?.n ?? 0) + 1 })),
      )
      return {}
    }
    case 'take':
      return { taken: ((await timed(session.take('notice'))) as Value | undefined) ?? null }
    case 'rotate':
      session.rotate()
      return {}
    case 'clear':
      session.clear()
      session.set('tag', act.value)
      return {}
    case 'destroy':
      session.destroy()
      return {}
    case 'signIn':
      await timed(session.signIn(act.user))
      return {}
    case 'signOut':
      await timed(session.signOut())
      return {}
    case 'revoke':
      return { ended: await timed(sessions.destroyById(act.id)) }
    case 'endByUser':
      return { ended: (await timed(sessions.destroyByUser(act.user))) > 0 }
    case 'endInTransaction': {
      const { id, commits } = act
      const work = (transaction: object): Promise<boolean> =>
        sessions.in(transaction).destroyById(id)
      return { ended: await client.transaction(work, commits) }
    }
    case 'export': {
      const exported = await timed(sessions.exportUser(act.user))
      const own = exported.sessions.find(({ id }) => id === act.id)
      return own === undefined ? {} : { content: own.data as Content }
    }
    case 'purge':
      await timed(sessions.purge())
      return {}
    case 'reseal':
      if (seals === 'true') await sessions.reseal({ batchSize: 50 })
      return {}
    case 'endByTag':
      return { ended: (await timed(sessions.destroyByTag(act.tag))) > 0 }
    case 'list': {
      const all = await timed(sessions.listByUser(act.user))
      const listed = all.map(({ id, tags, device }) => ({ id, tags, n: numberOf(device?.label) }))
      return { listed }
    }
    case 'tag':
      await timed(session.load())
      // The browser finds out that its session has gone.
      if (session.id !== null) await timed(session.tag(act.tag))
      return {}
    case 'untag':
      await timed(session.load())
      if (session.id !== null) await timed(session.untag(act.tag))
      return {}
    case 'setLifetime':
      await timed(session.load())
      if (session.id !== null) session.setLifetime({ idleTimeout: '2h', absoluteTimeout: '4h' })
      return {}
    case 'listByTag': {
      const all = await timed(sessions.listByTag(act.tag))
      return { listed: all.map(({ id, tags }) => ({ id, tags, n: null })) }
    }
    case 'describe':
      await timed(session.load())
      if (session.id !== null) await timed(session.describe({ label: String(act.n) }))
      return {}
    case 'elevate':
      await timed(session.load())
      if (session.userId !== null) await timed(session.elevate({ factor: 'totp' }))
      return {}
    case 'actAs':
      await timed(session.load())
      if (session.userId !== null) {
        await timed(session.signIn(act.user, { actor: session.userId }))
      }
      return {}
    case 'endActing':
      await timed(session.load())
      return session.id === null ? {} : { ended: await timed(session.endImpersonation()) }
    case 'close': {
      await sessions.close()
      return { leftovers: await client.close() }
    }
  }
}

function numberOf(label: unknown): number | null {
  return label === undefined ? null : Number(label)
}

process.on('message', (request: Request) => {
  void answer(request).then((given) => {
    process.send?.(given, () => {
      if (request.act.kind !== 'close') return
      stalls.stop()
      process.disconnect()
    })
  })
})
await sessions.ready().catch(() => {})
process.send?.('ready')
