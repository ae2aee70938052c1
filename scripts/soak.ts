/**
 * Mixed traffic on several processes, a fault every few seconds, and a comparison of all that is read with all
 * that was acknowledged.
 *
 *     npm run soak                                            a minute on pg
 *     npm run soak -- --minutes 10 --driver postgres-js --seed 7
 *
 * Every value carries its session. Fails on any violation: an acknowledged change that is lost, a value of
 * another session, a session that has ended and is back, a token with two winners, a call that outlasts its
 * deadline, an error that no fault explains, a client or a timer that is still in use at the end.
 */
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { startFaultProxy } from '../src/testing/fault-proxy.ts'
import { ApplicationProcess } from './soak/application-process.ts'
import { Browser } from './soak/browser.ts'
import { type Fault, faults, type Surroundings } from './soak/faults.ts'
import { Random } from './soak/random.ts'
import { SoakReport } from './soak/report.ts'
import { SoakServer } from './soak/soak-server.ts'
import { describeStored } from './soak/stored-session.ts'

const help = `Usage: npm run soak [-- options]

  --minutes <n>     how long (default: PROOF_MINUTES, or 1)
  --driver <name>   pg or postgres-js (default: pg)
  --seed <n>        repeats the choices of another run, which it prints; not its timing
  --fault <text>    only faults whose name contains this text
  --processes <n>   of the application (default: 3)
  --browsers <n>    visitors at once (default: 24)
  --seal            encrypts the values, under another key in each process
  --help            this text
`

const BETWEEN_FAULTS = 5000
const DEADLINE = 2000

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: process.env['PROOF_MINUTES'] ?? '1' },
      driver: { type: 'string', default: 'pg' },
      seed: {
        type: 'string',
        default: process.env['PROOF_SEED'] ?? String(Date.now() % 1_000_000),
      },
      fault: { type: 'string', default: '' },
      processes: { type: 'string', default: '3' },
      browsers: { type: 'string', default: '24' },
      seal: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) {
    console.log(help)
    return 0
  }
  const numbers = [values.minutes, values.seed, values.processes, values.browsers].map(Number)
  const chosen = faults.filter(({ name }) => name.includes(values.fault))
  if (
    chosen.length === 0 ||
    !['pg', 'postgres-js'].includes(values.driver) ||
    !numbers.every((it) => it >= 0)
  ) {
    console.error(help)
    return 2
  }
  const [minutes = 1, seed = 0, processes = 3, browsers = 24] = numbers
  console.log(`${minutes} min on ${values.driver}, ${processes} processes, seed ${seed}`)
  const { driver, seal: seals } = values
  const report = await soak({ minutes, seed, processes, browsers, driver, seals, faults: chosen })
  console.log(String(report))
  return report.violations.length === 0 ? 0 : 1
}

interface SoakOptions {
  readonly minutes: number
  readonly driver: string
  readonly seed: number
  readonly processes: number
  readonly browsers: number
  readonly seals: boolean
  readonly faults: readonly Fault[]
}

async function soak(options: SoakOptions): Promise<SoakReport> {
  const random = new Random(options.seed)
  const server = await SoakServer.start()
  const report = new SoakReport(DEADLINE, (id) => describeStored(server.url, id))
  const proxy = await startFaultProxy(server.url)
  const applications = Array.from(
    { length: options.processes },
    (_, index) => new ApplicationProcess(options.driver, proxy.url, index, options.seals),
  )
  try {
    await Promise.all(applications.map(({ ready }) => ready))
    const end = performance.now() + options.minutes * 60_000
    let isOver = false
    const browsing = Array.from({ length: options.browsers }, (_, n) =>
      new Browser(`b${n}`, applications, new Random(random.below(2 ** 32)), report).browse(
        () => isOver,
      ),
    )
    await strike(options.faults, { server, proxy, applications, random }, report, end)
    isOver = true
    await Promise.all(browsing)
    await finish(applications, server, report, options.seals)
    await report.complete()
  } finally {
    await proxy.close()
    await server.stop()
  }
  return report
}

/** One fault after the other, until it is time to end. */
async function strike(
  chosen: readonly Fault[],
  given: Surroundings,
  report: SoakReport,
  end: number,
): Promise<void> {
  const begin = performance.now()
  let progress = begin
  while (performance.now() < end && !report.isHopeless) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_FAULTS))
    const fault = given.random.pick(chosen)
    report.begins(fault.name)
    await fault.strike(given)
    const recoveries = await Promise.all(given.applications.map((it) => it.recovered()))
    report.fault(fault.name, Math.round(Math.max(...recoveries)))
    if (performance.now() - progress < 30_000) continue
    progress = performance.now()
    const left = Math.max(0, Math.round((end - progress) / 60_000))
    console.log(`${report.summary}; ${left} min to go`)
  }
}

/** Closes the applications, and looks at what has been left behind. */
async function finish(
  applications: readonly ApplicationProcess[],
  server: SoakServer,
  report: SoakReport,
  seals: boolean,
): Promise<void> {
  for (const application of applications) {
    const { leftovers, error } = await application.ask(null, { kind: 'close' })
    if (leftovers !== '') report.violation(`at the end: ${leftovers ?? error}`)
  }
  // A sealed value opens in its own session only.
  if (seals) return
  const client = new Client(server.url)
  await client.connect()
  const mixed = await client.query(
    `select session_id from sessions.session_data
     group by session_id having count(distinct convert_from(value, 'UTF8')::jsonb ->> 'tag') > 1`,
  )
  for (const { session_id: id } of mixed.rows) {
    report.violation(`at the end: session ${id} holds values of several sessions`)
  }
  await client.end()
}

process.exitCode = await main(process.argv.slice(2))
