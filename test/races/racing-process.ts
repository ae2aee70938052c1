/** One of the processes of a race: it does what it is told over IPC, all of a message at once. */
import pg from 'pg'
import { createSessions, type DatabaseSettings, isSessionError, type Sessions } from 'pg-sessions'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres from 'postgres'
import {
  type Act,
  type Answer,
  type Answers,
  CAP,
  KEYS,
  type Question,
  type Settings,
} from './protocol.ts'

type Data = Record<string, unknown> & { count: number }

const [driverName = '', url = ''] = process.argv.slice(2)
const name = `racing on ${driverName}`
const pool = new pg.Pool({ connectionString: url, max: 8, application_name: name })
const sql = postgres(url, {
  max: 8,
  onnotice: () => {},
  connection: { application_name: name },
})
const database = driverName === 'pg' ? fromPg(pool) : fromPostgresJs(sql)

const ended: Answers['ended'][number][] = []
let unsealed = 0

function open(more: Partial<DatabaseSettings> = {}): Sessions<Data> {
  const sessions = createSessions<Data>({
    database,
    migrate: 'off',
    deadline: '30s',
    log: false,
    ...more,
  } as DatabaseSettings)
  sessions.on('destroyed', ({ sessionId, reason = null }) => ended.push({ id: sessionId, reason }))
  sessions.on('unsealFailed', () => {
    unsealed += 1
  })
  return sessions
}

const capped = (beyond: 'end-oldest' | 'refuse') => open({ maxPerUser: { count: CAP, beyond } })
const all: Readonly<Record<Settings, Sessions<Data>>> = {
  plain: open(),
  'end-oldest': capped('end-oldest'),
  refuse: capped('refuse'),
  'old key': open({ seal: { keys: [KEYS.old] } }),
  'both keys': open({ seal: { keys: [KEYS.new, KEYS.old] } }),
  'new key': open({ seal: { keys: [KEYS.new] } }),
}

async function answer(act: Act): Promise<Answer> {
  const sessions = all[act.with ?? 'plain']
  const exchange = sessions.open(act.cookie)
  let outcome = 'done'
  let result: unknown = null
  try {
    await exchange.session.load()
    // Another request has ended the session before, or given it a new token.
    if (act.cookie && exchange.session.id === null) outcome = 'anonymous'
    else result = (await perform(sessions, exchange.session, act)) ?? null
    await exchange.commit()
  } catch (error) {
    if (!isSessionError(error)) throw error
    exchange.discard()
    outcome = error.code
  }
  const [setCookie] = exchange.head.setCookies
  const { id } = exchange.session.toJSON()
  if (setCookie === undefined) return { outcome, result, id: id ?? null }
  const cookie = setCookie.split(';')[0] ?? ''
  return { outcome, result, id: id ?? null, cookie: cookie.endsWith('=') ? null : cookie }
}

async function perform(
  sessions: Sessions<Data>,
  session: ReturnType<Sessions<Data>['open']>['session'],
  act: Act,
): Promise<unknown> {
  switch (act.do) {
    case 'read':
      return { userId: session.userId, data: session.data }
    case 'set':
      session.set(act.key, act.value)
      return
    case 'count':
      return session.update('count', (count = 0) => count + 1)
    case 'rotate':
    case 'clear':
    case 'destroy':
      session[act.do]()
      return
    case 'sign in': {
      const { tags, actor } = act
      return session.signIn(act.userId, { ...(tags && { tags }), ...(actor && { actor }) })
    }
    case 'sign out':
      return session.signOut()
    case 'elevate':
      return session.elevate({ factor: 'totp' })
    case 'end acting':
      return session.endImpersonation()
    case 'tag':
    case 'untag':
      return session[act.do](...act.tags)
    case 'end by tag':
      return sessions.destroyByTag(act.tag)
    case 'end by user':
      return sessions.destroyByUser(act.userId)
    case 'end by id':
      return sessions.destroyById(act.id)
    case 'reseal':
      return sessions.reseal({ batchSize: 3 })
  }
}

process.on('message', ({ number, acts }: Question) => {
  const [endedBefore, unsealedBefore] = [ended.length, unsealed]
  void Promise.all(acts.map(answer)).then((answers) => {
    const given: Answers = {
      number,
      answers,
      ended: ended.slice(endedBefore),
      unsealed: unsealed - unsealedBefore,
    }
    process.send?.(given)
  })
})
process.on('disconnect', () => {
  void Promise.all([pool.end(), sql.end({ timeout: 1 })])
})
process.send?.('ready')
