import assert from 'node:assert/strict'
import type { Connection, Driver, ErrorExplanation, Row } from '../../postgres/driver.ts'
import { type FaultProxy, type ServerAddress, startFaultProxy } from '../fault-proxy.ts'

/** A driver under test, with what a test needs beside it. */
export interface DriverHarness {
  readonly driver: Driver
  /** How many connections `withConnection` can lend at the same time. */
  readonly connections: number
  /** Uses the client without the driver, as its owner may. Rejects when it has been closed. */
  useClient(): Promise<void>
  /** Runs SQL on the client without the driver, as its owner may. Without it, no transaction of the owner is tried. */
  runOnClient?(sql: string): Promise<void>
  /** Ends the driver's connections on the server. Needed unless the database runs inside this process. */
  killBackends?(): Promise<void>
  /** Where the database listens. Needed unless it runs inside this process. */
  readonly server?: ServerAddress
  /**
   * Makes another driver like this one, for the same database and user, whose client connects to this host and
   * port without encryption. The contract breaks its connections there. It may reject when it cannot connect.
   * Needed unless the database runs inside this process.
   */
  driverAt?(host: string, port: number): Promise<OtherDriver>
  /** Frees what the harness holds. */
  dispose(): Promise<void>
}

/** A driver that `driverAt` has made. */
export interface OtherDriver {
  readonly driver: Driver
  /** Closes its client, also one whose connection is broken. */
  dispose(): Promise<void>
}

/** Declares one test: a sentence of behaviour, and what shows it on a harness of its own. */
export type DriverTest = (sentence: string, body: (harness: DriverHarness) => Promise<void>) => void

/** Long enough that no test meets it unless something hangs. */
const GENEROUS = 20_000

const names = new Map<string, string>()

/** Runs a statement under a name that its text always has. */
export function ask(
  connection: Pick<Connection, 'query'>,
  text: string,
  values: readonly (string | null)[] = [],
  timeout: number = GENEROUS,
): Promise<readonly Row[]> {
  const name = names.get(text) ?? `driver_contract_${names.size}`
  names.set(text, name)
  return connection.query({ name, text, values }, { timeout })
}

/** Gives the only value of a statement's only row. */
export async function askOne(
  connection: Pick<Connection, 'query'>,
  text: string,
  values: readonly (string | null)[] = [],
  timeout: number = GENEROUS,
): Promise<string | null | undefined> {
  const [row] = await ask(connection, text, values, timeout)
  return Object.values(row ?? {})[0]
}

/** A name for a table that no other test uses. */
export function freshTable(): string {
  return `driver_contract_${Math.random().toString(36).slice(2)}`
}

/** Whether a table is there, as seen by a statement outside all loans. */
export async function exists(driver: Driver, table: string): Promise<boolean> {
  return (await askOne(driver, 'select to_regclass($1::text)::text as name', [table])) !== null
}

/** Runs `body` while the harness has no connection left to lend. */
export async function whileAllAreLent(
  { driver, connections }: DriverHarness,
  body: () => Promise<void>,
): Promise<void> {
  let end = (): void => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  const loans: Promise<void>[] = []
  const begun = Array.from(
    { length: connections },
    () =>
      new Promise<void>((begin, fail) => {
        const loan = driver.withConnection(async () => {
          begin()
          await over
        })
        loans.push(loan)
        loan.catch(fail)
      }),
  )
  try {
    await Promise.all(begun)
    await body()
  } finally {
    end()
    await Promise.all(loans)
  }
}

/** Borrows all connections at the same time, and does something on each. */
export async function onEach(
  { driver, connections }: DriverHarness,
  act: (connection: Connection) => Promise<void>,
): Promise<void> {
  let left = connections
  let open = (): void => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  const loan = async (connection: Connection): Promise<void> => {
    await act(connection)
    left -= 1
    if (left === 0) open()
    await all
  }
  await Promise.all(Array.from({ length: connections }, () => driver.withConnection(loan)))
}

/** Gives the error with which a call rejects. */
export function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => assert.fail('the call succeeded'),
    (error: unknown) => error,
  )
}

/** What a driver says of an error without an SQLSTATE. */
export function explanationOf(driver: Driver, error: unknown): ErrorExplanation {
  const explanation = driver.explain?.(error)
  assert.ok(explanation, `driver.explain(error) does not know this error: ${String(error)}`)
  return explanation
}

/** Makes a driver whose connections lead through a proxy, and runs `body`. */
export async function throughProxy(
  { server, driverAt }: DriverHarness,
  body: (proxied: { readonly proxy: FaultProxy; readonly driver: Driver }) => Promise<void>,
): Promise<void> {
  assert.ok(server && driverAt, 'the harness needs `server` and `driverAt`')
  await using proxy = await startFaultProxy(server)
  const { driver, dispose } = await driverAt(proxy.host, proxy.port)
  try {
    await body({ proxy, driver })
  } finally {
    await proxy.pass()
    await dispose()
  }
}
