import express, { type NextFunction, type Request, type Response } from 'express'
import session from 'express-session'
import { serve } from '../adapters/listen.ts'

/** One thing that a handler does to its session. */
export type Step =
  | readonly ['assign', path: readonly string[], value: Value]
  | readonly ['delete', path: readonly string[]]
  | readonly ['save' | 'reload' | 'regenerate' | 'destroy' | 'touch' | 'resetMaxAge' | 'null']
  | readonly ['serialize', name: string, value: string]
  | readonly ['look' | 'stored' | 'loaded' | 'touchStored' | 'length']

/** A value as a program names it, since some change with the clock and some are not JSON. */
export type Value =
  | { readonly is: unknown }
  | { readonly dateIn: number }
  | { readonly dateTextIn: number }

export interface Visit {
  readonly steps: readonly Step[]
  readonly isHttps?: boolean
  /** Milliseconds that pass before it. */
  readonly after?: number
  /** Whether the browser has lost its cookie. */
  readonly isNew?: boolean
}

/** Everything of an answer that must be the same on every store. */
interface Seen {
  readonly status: number
  readonly body: unknown
  readonly setCookie: readonly string[]
}

export interface SideApplication {
  visit(visit: Visit): Promise<Seen>
  /** Stops, and gives the errors that the middleware passed on, in their order. */
  close(): Promise<readonly string[]>
}

type Loose = Record<string, unknown> & {
  readonly id: string
  touch(): unknown
  cookie: Record<string, unknown> & { serialize(name: string, value: string): string }
}

/** Serves an application whose one route does to its session what a request asks for. */
export async function sideApplication(
  store: session.Store,
  options: Partial<session.SessionOptions>,
  elapse: (milliseconds: number) => Promise<void>,
): Promise<SideApplication> {
  const late: string[] = []
  const app = express()
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false, ...options, store }))
  app.post('/', express.json(), async (request, response) => {
    const seen = []
    for (const step of request.body as Step[]) seen.push(await take(step, request))
    response.json({ seen, session: look(request) })
  })
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    late.push(told(error))
    if (response.headersSent) return
    response.status(500).json(told(error))
    // express-session lets a response hang when it fails while it ends it.
    if (!response.headersSent) response.socket?.destroy()
  })
  const running = await serve(app)
  const sids = new Ordinals()
  let cookie: string | null = null

  return {
    async visit({ steps, isHttps, after, isNew }) {
      if (after !== undefined) await elapse(after)
      const answer = await answerTo(running.origin, {
        method: 'POST',
        body: JSON.stringify(steps),
        headers: {
          'content-type': 'application/json',
          ...(isHttps ? { 'x-forwarded-proto': 'https' } : {}),
          ...(cookie === null || isNew ? {} : { cookie }),
        },
      })
      if (answer === null) return { status: 0, body: null, setCookie: [] }
      const body = await answer.text()
      const setCookies = answer.headers.getSetCookie()
      for (const header of setCookies) cookie = header.split(';')[0] as string
      return {
        status: answer.status,
        body: JSON.parse(steadyTimes(body)),
        setCookie: setCookies.map((header) => sids.replace(steadyTimes(header))),
      }
    },
    async close() {
      await running.close()
      // It passes errors on in a turn of their own.
      await new Promise(setImmediate)
      return late
    },
  }
}

async function answerTo(url: string, init: RequestInit): Promise<globalThis.Response | null> {
  try {
    return await fetch(url, init)
  } catch {
    return null
  }
}

async function take(step: Step, request: Request): Promise<unknown> {
  const current = (request as unknown as { session: Loose | null | undefined }).session
  try {
    switch (step[0]) {
      case 'assign':
        return void Reflect.set(parent(current, step[1]), step[1].at(-1) as string, made(step[2]))
      case 'delete':
        return Reflect.deleteProperty(parent(current, step[1]), step[1].at(-1) as string)
      case 'null':
        return void Reflect.set(request, 'session', null)
      case 'serialize':
        return current?.cookie.serialize(step[1], step[2])
      case 'look':
        return look(request)
      case 'stored':
        return sorted(
          await asked<object>((done) => request.sessionStore.get(request.sessionID, done)),
        )
      case 'loaded':
        return look({
          session: await asked((done) => request.sessionStore.load(request.sessionID, done)),
        })
      case 'touchStored':
        if (!current) throw new TypeError('no session')
        // The middleware does so first.
        current.touch()
        return await asked((done) =>
          request.sessionStore.touch?.(request.sessionID, current as never, () => done(null)),
        )
      case 'length':
        return await asked((done) => request.sessionStore.length?.(done))
      case 'touch':
      case 'resetMaxAge':
        return (current as unknown as Record<string, () => unknown>)[step[0]]?.() === current
      default: {
        const method = step[0]
        return await new Promise<string>((resolve, reject) => {
          if (!current) return reject(new TypeError('no session'))
          const call = current[method] as (done: (error?: Error | null) => void) => unknown
          call.call(current, (error) => resolve(error ? told(error) : 'done'))
        })
      }
    }
  } catch (error) {
    return told(error as Error)
  }
}

/** What a handler sees of its session, in an order that no store promises. */
function look(request: object): unknown {
  const { session, sessionID } = request as { session?: Loose | null; sessionID?: string }
  if (!session) return session === null ? 'null' : 'none'
  const { cookie, ...data } = session
  const listed: string[] = []
  for (const name in cookie) listed.push(name)
  return {
    data: sorted(JSON.parse(JSON.stringify(data))),
    isItsOwn: sessionID === session.id,
    cookie: sorted(JSON.parse(JSON.stringify(cookie))),
    own: Object.keys(cookie).sort(),
    listed: listed.sort(),
    types: [cookie.expires, cookie.maxAge, cookie.originalMaxAge].map((it) => typeof it),
    maxAge: cookie.maxAge,
    originalMaxAge: cookie.originalMaxAge,
    isDate: cookie.expires instanceof Date,
  }
}

/** Errors and answers of a store; that there is none it may say in two ways. */
function asked<Answer>(
  ask: (done: (error: unknown, answer?: Answer | null) => void) => void,
): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    ask((error, answer) => (error ? reject(error) : resolve(answer ?? null)))
  })
}

function parent(session: object | null | undefined, path: readonly string[]): object {
  if (!session) throw new TypeError('no session')
  return path.slice(0, -1).reduce((it, name) => Reflect.get(it, name) as object, session)
}

function made(value: Value): unknown {
  if ('dateIn' in value) return new Date(Date.now() + value.dateIn)
  if ('dateTextIn' in value) return new Date(Date.now() + value.dateTextIn).toISOString()
  return value.is
}

function told(error: Error): string {
  return error.message
}

function sorted(object: object | null): object | null {
  if (object === null) return null
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const MINUTE = 60_000

/** Times and durations to the minute: programs use no shorter ones, and the clock runs on in between. */
function steadyTimes(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) => inMinutes(Date.parse(time)))
    .replace(/(?<=Expires=)[^;"]+/g, (time) => inMinutes(Date.parse(time)))
    .replace(/(?<=maxAge":)-?[\d.]+/gi, (time) => String(Math.round(Number(time) / MINUTE)))
}

function inMinutes(time: number): string {
  return `in ${Math.round((time - Date.now()) / MINUTE)} minutes`
}

class Ordinals {
  readonly #seen: string[] = []

  replace(header: string): string {
    return header.replace(/^connect\.sid=([^;]+)/, (_, value: string) => {
      if (!this.#seen.includes(value)) this.#seen.push(value)
      return `sid ${this.#seen.indexOf(value)}`
    })
  }
}
