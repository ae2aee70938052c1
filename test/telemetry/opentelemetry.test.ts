import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { Pool } from 'pg'
import { createSessions, MemoryStore, type Sessions } from 'pg-sessions'
import type { Driver } from 'pg-sessions/driver'
import { nodeSessions } from 'pg-sessions/node'
import { instrumentSessions } from 'pg-sessions/opentelemetry'
import { fromPg } from 'pg-sessions/pg'
import { fromPostgresJs } from 'pg-sessions/postgres-js'
import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const PAGES = 100

const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(exporter)],
})
const contextManager = new AsyncLocalStorageContextManager()
const ofPg = new PgInstrumentation()

let database: TestDatabase
let pool: Pool
let sql: Sql
let sessions: Sessions
let pages: Pages
let url: string

/** Pages of an application. Each reads its session, asks the database something itself, and may write. */
interface Pages {
  readonly url: string
  readonly sessions: Sessions
  stop(): Promise<void>
}

async function startPages(driver: Driver, ask: (page: string) => Promise<unknown>): Promise<Pages> {
  const sessions = createSessions({ database: driver, cookie: { development: true } })
  await sessions.ready()
  const sessionOf = nodeSessions(sessions)
  const tracer = tracerProvider.getTracer('application')
  const server = createServer((request, response) => {
    const session = sessionOf(request, response)
    const page = tracer.startSpan(`page ${request.url}`, {}, ROOT_CONTEXT)
    void context.with(trace.setSpan(ROOT_CONTEXT, page), async () => {
      await session.load()
      await ask(request.url ?? '')
      if (request.method === 'POST')
        await session.update('visits', (visits) => Number(visits ?? 0) + 1)
      page.end()
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    async stop() {
      server.close()
      await sessions.close()
    },
  }
}

beforeAll(async () => {
  context.setGlobalContextManager(contextManager.enable())
  ofPg.setTracerProvider(tracerProvider)
  ofPg.enable()
  database = await createTestDatabase()
  const pg: typeof import('pg') = createRequire(import.meta.url)('pg')
  pool = new pg.Pool({ connectionString: database.url, max: 4 })
  sql = postgres(database.url, { max: 4, onnotice: () => undefined })
  pages = await startPages(fromPg(pool), async (page) => {
    // A queue in pg-pool loses the context of `pool.query`, but not that of a client that is waited for.
    const client = await pool.connect()
    await client.query('select $1::text as page', [page])
    client.release()
  })
  sessions = pages.sessions
  url = pages.url
})

afterAll(async () => {
  await pages.stop()
  await pool.end()
  await sql.end()
  await database.drop()
  ofPg.disable()
  context.disable()
})

beforeEach(() => exporter.reset())

async function cookieOfNewVisitor(at: string = url): Promise<string> {
  const response = await fetch(`${at}/first`, { method: 'POST' })
  return (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? ''
}

/** The spans by the page whose trace they are in; those in no page's trace are under `undefined`. */
function byPage(): Map<string | undefined, ReadableSpan[]> {
  const spans = exporter.getFinishedSpans()
  const pages = new Map<string, string>()
  for (const span of spans) {
    if (span.name.startsWith('page ')) pages.set(span.spanContext().traceId, span.name)
  }
  const byPage = new Map<string | undefined, ReadableSpan[]>()
  for (const span of spans) {
    const page = pages.get(span.spanContext().traceId)
    byPage.set(page, [...(byPage.get(page) ?? []), span])
  }
  return byPage
}

/** A query that the page itself sent, as the instrumentation of pg reports it. */
function isOwnQuery({ attributes }: ReadableSpan): boolean {
  return Object.values(attributes).includes('select $1::text as page')
}

test('a page has a span of each operation, and below it that of its statement', async () => {
  const cookie = await cookieOfNewVisitor()
  exporter.reset()
  using _ = instrumentSessions({ tracerProvider, meterProvider: null })
  await fetch(`${url}/read`, { headers: { cookie } })
  const spans = byPage().get('page /read') ?? []
  const [page, operation, statement] = ['page /read', 'pg-sessions load', 'load'].map((name) =>
    spans.find((span) => span.name === name),
  )
  expect(operation?.parentSpanContext?.spanId).toBe(page?.spanContext().spanId)
  expect(statement?.parentSpanContext?.spanId).toBe(operation?.spanContext().spanId)
  expect(statement?.attributes).toMatchObject({
    'db.system.name': 'postgresql',
    'db.operation.name': 'load',
  })
  // Its own query and the load, as the instrumentation of pg sees them.
  expect(spans.filter(({ name }) => name.startsWith('pg.query'))).toHaveLength(2)
})

/** What instrumentation-pg sees of the page's own queries: those of pg. */
const clients = [
  ['pg', 1],
  ['postgres.js', 0],
] as const

test.each(clients)(
  `of ${PAGES} concurrent pages on %s each has its own spans only, and a shared statement links its operations`,
  async (client, ownQueries) => {
    const shown =
      client === 'pg'
        ? pages
        : await startPages(fromPostgresJs(sql), (page) => sql`select ${page}::text as page`)
    if (shown !== pages) onTestFinished(() => shown.stop())
    const url = shown.url
    const cookies = await Promise.all(Array.from({ length: PAGES }, () => cookieOfNewVisitor(url)))
    exporter.reset()
    using _ = instrumentSessions({ tracerProvider, meterProvider: null })
    await Promise.all(
      cookies.map((cookie, n) => fetch(`${url}/${n}`, { method: 'POST', headers: { cookie } })),
    )
    const spans = byPage()
    const operations = new Map<string, string>()
    for (let n = 0; n < PAGES; n++) {
      const ofPage = spans.get(`page /${n}`) ?? []
      const names = ofPage.flatMap(({ name }) => (name.startsWith('pg-sessions ') ? [name] : []))
      expect(names.filter((name) => name === 'pg-sessions load')).toHaveLength(1)
      expect(names.filter((name) => name === 'pg-sessions update')).toHaveLength(1)
      expect(ofPage.filter(isOwnQuery)).toHaveLength(ownQueries)
      expect(
        ofPage.filter(({ attributes }) => Number(attributes['db.operation.batch.size']) > 1),
      ).toEqual([])
      for (const span of ofPage) operations.set(span.spanContext().spanId, span.name)
    }
    const shared = (spans.get(undefined) ?? []).filter(({ links }) => links.length > 0)
    expect(shared.length).toBeGreaterThan(0)
    for (const { name, attributes, links, parentSpanContext } of shared) {
      expect(parentSpanContext).toBeUndefined()
      expect(links).toHaveLength(Number(attributes['db.operation.batch.size']))
      const verb = name.replace(/_many$/, '')
      for (const { context } of links)
        expect(operations.get(context.spanId)).toBe(`pg-sessions ${verb}`)
    }
  },
)

test('a statement that has queued for a client of the pool does not join the page that releases it', async () => {
  const cookie = await cookieOfNewVisitor()
  exporter.reset()
  const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()))
  const answered = fetch(`${url}/queued`, { headers: { cookie } })
  await expect.poll(() => pool.waitingCount).toBe(1)
  const other = tracerProvider.getTracer('application').startSpan('page /other', {}, ROOT_CONTEXT)
  context.with(trace.setSpan(ROOT_CONTEXT, other), () => {
    for (const client of clients) client.release()
  })
  await answered
  other.end()
  expect(byPage().get('page /other')).toHaveLength(1)
})

test('a failed operation is an error by its code, and nothing is recorded after the end', async () => {
  const closed = createSessions({ store: new MemoryStore(), cookie: { development: true } })
  const telemetry = instrumentSessions({ tracerProvider, meterProvider: null })
  const nowhere = new Pool({ host: '127.0.0.1', port: 1 })
  const failing = createSessions({ database: fromPg(nowhere), deadline: '1s' })
  await expect(failing.ready()).rejects.toThrow()
  await nowhere.end()
  const [span] = exporter.getFinishedSpans().filter(({ name }) => name === 'pg-sessions ready')
  expect(span?.attributes['error.type']).toMatch(/^ERR_/)
  telemetry.stop()
  exporter.reset()
  await closed.listByUser('ann')
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('metrics count operations, calls per statement, and events', async () => {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 3_600_000,
  })
  const meterProvider = new MeterProvider({ readers: [reader] })
  using _ = instrumentSessions({ tracerProvider: null, meterProvider, counted: sessions })
  const before = (await sessions.count()).live
  await Promise.all(Array.from({ length: 20 }, () => cookieOfNewVisitor()))
  await reader.forceFlush()
  const metrics = new Map(
    metricExporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
      .map((metric) => [metric.descriptor.name, metric]),
  )
  const created = metrics
    .get('pg_sessions.events')
    ?.dataPoints.find(({ attributes }) => attributes['pg_sessions.event'] === 'created')
  expect(created?.value).toBe(20)
  const calls = metrics.get('pg_sessions.statement.calls')
  expect(calls?.dataPointType).toBe(DataPointType.HISTOGRAM)
  const active = metrics.get('pg_sessions.operation.active')?.dataPoints[0]
  expect(active?.value).toBe(0)
  const live = metrics
    .get('pg_sessions.stored')
    ?.dataPoints.find(({ attributes }) => attributes['pg_sessions.state'] === 'live')
  expect(live?.value).toBe(before + 20)
  await meterProvider.shutdown()
})

test.for([
  [{ tracer: tracerProvider }, /tracerProvider/],
  [{ tracerProvider: {} }, /tracerProvider must be a TracerProvider, or null/],
  [{ counted: null }, /counted must be sessions/],
] as const)('a wrong option is refused: %j', ([options, message]) => {
  expect(() => instrumentSessions(options as never)).toThrow(message)
})
