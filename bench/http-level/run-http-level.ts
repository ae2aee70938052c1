import { profileFlags, type Stage } from '../environment/stage.ts'
import { Program } from '../measure/program.ts'
import { type ServerWork, watchServers } from '../measure/servers.ts'
import { median } from '../measure/statistics.ts'
import { nativeSchema } from '../store-level/contenders/native.ts'
import { BODIES, PAGE_METHODS, PAGES, type Page } from './application.ts'
import { cookiesFor } from './cookies.ts'
import type { LoadResult, LoadTasks } from './load-program.ts'
import type { ApplicationName, ServerTasks } from './server-program.ts'

/** What one page of one application costs: medians over the rounds. */
export interface HttpFigure {
  readonly page: Page
  readonly application: ApplicationName
  readonly requestsPerSecond: number
  /** Requests per second of CPU of all processes but the load's. Null where that cannot be read. */
  readonly requestsPerCpuSecond: number | null
  /** The lowest and the highest of the rounds. */
  readonly requestsPerCpuSecondRange: readonly [lowest: number, highest: number] | null
  /** Microseconds of CPU per request. */
  readonly cpu: {
    readonly application: number
    readonly postgres: number | null
    readonly redis: number | null
    readonly total: number | null
  }
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly walBytesPerRequest: number
}

interface Server {
  readonly program: Program<ServerTasks>
  readonly url: string
  readonly cookies: readonly string[]
}

interface HttpRound {
  readonly load: LoadResult
  /** Microseconds. */
  readonly applicationCpu: number
  readonly work: ServerWork
}

const CONNECTIONS = 32
const WARM_UP_STEP = 480

const EXPRESS: readonly ApplicationName[] = [
  'Express, no session',
  'Express, pg-sessions',
  'Express, express-session, MemoryStore',
  'Express, express-session, PgSessionStore',
  'Express, express-session, connect-pg-simple',
  'Express, express-session, connect-redis (redis 5)',
  'Express, express-session, connect-redis (redis 6)',
  'Express, express-session, connect-redis (redis 5, durable)',
]
const FASTIFY: readonly ApplicationName[] = [
  'Fastify, no session',
  'Fastify, pg-sessions',
  'Fastify, @fastify/session, its memory store',
  'Fastify, @fastify/session, PgSessionStore',
  'Fastify, @fastify/session, connect-pg-simple',
]
const HONO: readonly ApplicationName[] = ['Hono, no session', 'Hono, pg-sessions']
const ALL = [...EXPRESS, ...FASTIFY, ...HONO]

/** How often the compiler has to see each page before any counts, and how long that may take. */
interface WarmUp {
  readonly warmUpRequests: number
  readonly warmUpSeconds: number
}

const PLANS = {
  quick: {
    rounds: 5,
    requests: 960,
    visitors: 2000,
    applications: EXPRESS,
    warmUpRequests: 2500,
    warmUpSeconds: 3,
  },
  standard: {
    rounds: 5,
    requests: 4800,
    visitors: 10_000,
    applications: ALL,
    warmUpRequests: 4800,
    warmUpSeconds: 6,
  },
  full: {
    rounds: 11,
    requests: 6400,
    visitors: 10_000,
    applications: ALL,
    warmUpRequests: 20_000,
    warmUpSeconds: 20,
  },
} as const

/** Measures every page of every application under load, in rounds that take turns. */
export async function runHttpLevel(stage: Stage): Promise<HttpFigure[]> {
  const plan = PLANS[stage.extent]
  const { rounds, requests, visitors, applications } = plan
  const names = applications.filter((name) => stage.redis !== null || !name.includes('redis'))
  const browsers: Program<LoadTasks> = Program.start(stage.programs.file('load'))
  const servers = new Map<ApplicationName, Server>()
  try {
    await startServers(stage, names, visitors, servers)
    for (const name of names) {
      stage.onProgress(`http: warming up ${name}`)
      const server = servers.get(name) as Server
      for (const page of PAGES) await warmUpPage(stage, browsers, server, page, plan)
    }
    const figures: HttpFigure[] = []
    for (const page of PAGES) {
      stage.onProgress(`http: ${page} page, ${names.length} applications`)
      const results = names.map((): HttpRound[] => [])
      // Round 0 warms up and does not count.
      for (let round = 0; round <= rounds; round++) {
        for (let turn = 0; turn < names.length; turn++) {
          const index = (turn + round) % names.length
          const server = servers.get(names[index] as ApplicationName) as Server
          const visited = await visit(stage, browsers, server, page, requests)
          if (round > 0) results[index]?.push(visited)
        }
      }
      figures.push(...names.map((name, index) => figure(page, name, results[index] ?? [])))
    }
    return figures
  } finally {
    await Promise.all([browsers, ...[...servers.values()].map(({ program }) => program)].map(stop))
  }
}

async function startServers(
  stage: Stage,
  names: readonly ApplicationName[],
  visitors: number,
  servers: Map<ApplicationName, Server>,
): Promise<void> {
  const { postgres, redis, programs, onProgress } = stage
  onProgress(`http: starting ${names.length} applications, ${visitors} sessions each`)
  await postgres.admin.query(
    `drop schema if exists ${['http', 'http_fastify', 'http_hono'].map(nativeSchema).join(', ')} cascade`,
  )
  const places = {
    postgres: postgres.url,
    redis: redis?.url ?? null,
    durableRedis: redis?.durableUrl ?? null,
  }
  await Promise.all(
    names.map(async (name) => {
      const program: Program<ServerTasks> = Program.start(
        programs.file('server'),
        profileFlags(stage, name),
      )
      const server = { program, url: '', cookies: cookiesFor(name, visitors) }
      servers.set(name, server)
      const { port } = await program.ask('start', { name, servers: places, visitors })
      servers.set(name, { ...server, url: `http://127.0.0.1:${port}` })
    }),
  )
  await postgres.admin.query('vacuum analyze')
}

async function warmUpPage(
  stage: Stage,
  browsers: Program<LoadTasks>,
  server: Server,
  page: Page,
  { warmUpRequests, warmUpSeconds }: WarmUp,
): Promise<void> {
  const end = performance.now() + warmUpSeconds * 1000
  for (let made = 0; made < warmUpRequests && performance.now() < end; made += WARM_UP_STEP) {
    await visit(stage, browsers, server, page, WARM_UP_STEP)
  }
}

async function visit(
  { postgres, redis }: Stage,
  browsers: Program<LoadTasks>,
  { program, url, cookies }: Server,
  page: Page,
  requests: number,
): Promise<HttpRound> {
  const before = await program.ask('cpu', undefined as never)
  const { result, work } = await watchServers(postgres, redis, () =>
    browsers.ask('load', {
      url: `${url}/${page}`,
      method: PAGE_METHODS[page],
      // Who logs in is new here.
      cookies: page === 'login' ? [] : cookies,
      connections: CONNECTIONS,
      // The same number for all: each round opens new connections, which is work too.
      until: { amount: requests },
      body: BODIES[page],
    }),
  )
  const after = await program.ask('cpu', undefined as never)
  return { load: result, applicationCpu: after - before, work }
}

function figure(
  page: Page,
  application: ApplicationName,
  rounds: readonly HttpRound[],
): HttpFigure {
  const over = (value: (round: HttpRound) => number): number => median(rounds.map(value))
  /** In each round; null where that cannot be read. */
  const perRequest = (value: (round: HttpRound) => number | null): number[] | null => {
    const values = rounds.map((round) => {
      const used = value(round)
      return used === null ? null : used / round.load.requests
    })
    return values.every((used) => used !== null) ? values : null
  }
  const medianOf = (values: readonly number[] | null): number | null => values && median(values)
  const usesRedis = application.includes('redis')
  const redis = usesRedis ? medianOf(perRequest(({ work }) => work.redisCpu)) : 0
  const postgres = usesRedis ? 0 : medianOf(perRequest(({ work }) => work.postgresCpu))
  const totals = perRequest(({ applicationCpu, work }) => {
    const database = usesRedis ? work.redisCpu : work.postgresCpu
    return database === null ? null : applicationCpu + database
  })
  const total = medianOf(totals)
  return {
    page,
    application,
    requestsPerSecond: over(({ load }) => load.requests / load.seconds),
    requestsPerCpuSecond: total === null ? null : 1e6 / total,
    requestsPerCpuSecondRange: totals && [1e6 / Math.max(...totals), 1e6 / Math.min(...totals)],
    cpu: {
      application: medianOf(perRequest(({ applicationCpu }) => applicationCpu)) ?? Number.NaN,
      postgres,
      redis,
      total,
    },
    p50: over(({ load }) => load.p50),
    p99: over(({ load }) => load.p99),
    walBytesPerRequest: over(({ load, work }) => work.walBytes / load.requests),
  }
}

function stop(program: { stop(): Promise<void> }): Promise<void> {
  return program.stop()
}
