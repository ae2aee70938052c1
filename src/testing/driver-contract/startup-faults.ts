import assert from 'node:assert/strict'
import type { Driver, ErrorExplanation } from '../../postgres/driver.ts'
import { startFaultProxy } from '../fault-proxy.ts'
import {
  ask,
  askOne,
  type DriverHarness,
  type DriverTest,
  explanationOf,
  failureOf,
} from './harness.ts'
import { type Refusal, startRefusingServer } from './refusing-server.ts'

const PID = 'select pg_backend_pid()::text as pid'

/** The server or a pooler lets no client in for now. */
const passing: readonly Refusal[] = [
  { code: 'XX000', message: 'Max client connections reached' },
  { code: '08P01', message: 'no more connections allowed' },
  { code: '53300', message: 'sorry, too many clients already' },
  { code: '57P03', message: 'the database system is starting up' },
]

/** It never lets this client in, so another try would fail, too. */
const lasting: readonly Refusal[] = [
  { code: '28P01', message: 'password authentication failed for user "ann"' },
  { code: '28000', message: 'role "ann" does not exist' },
  { code: '3D000', message: 'database "shop" does not exist' },
]

const noEncryption: Refusal = {
  code: '28000',
  message: 'no pg_hba.conf entry for host "10.0.0.7", user "ann", database "shop", no encryption',
}

/** Before a connection is ready no statement was sent, so nothing has had an effect, whatever the error says. */
export function startupFaultTests(test: DriverTest): void {
  for (const refusal of passing) {
    test(`explains a startup refused with ${refusal.code}: nothing was sent, and the server's reason`, (harness) =>
      withRefusal(harness, refusal, ({ outcome, kind, reason }) => {
        assert.equal(outcome, 'none')
        assert.equal(kind, 'unreachable')
        assert.ok(reason.includes(refusal.message), reason)
      }))
  }

  for (const refusal of lasting) {
    test(`explains "${refusal.message}" as a refusal, which is not tried again`, (harness) =>
      withRefusal(harness, refusal, ({ outcome, kind, reason }) => {
        assert.equal(outcome, 'none')
        assert.ok(kind === 'refused' || kind === 'misconfigured', kind)
        assert.ok(reason.includes(refusal.message), reason)
      }))
  }

  test('advises TLS when the server refuses a connection without encryption', (harness) =>
    withRefusal(harness, noEncryption, ({ outcome, kind, advice }) => {
      assert.equal(outcome, 'none')
      assert.ok(kind === 'refused' || kind === 'misconfigured', kind)
      assert.match(advice ?? '', /TLS|SSL/)
    }))

  test("shows no password that stands in the server's reason", (harness) => {
    const message = 'cannot reach postgres://ann:s3cret@10.0.0.7/shop'
    return withRefusal(harness, { code: 'XX000', message }, (explanation) => {
      assert.ok(!JSON.stringify(explanation).includes('s3cret'), explanation.reason)
    })
  })

  test('explains a socket that closes during startup: nothing was sent', (harness) =>
    withRefusal(harness, null, ({ outcome, reason }) => {
      assert.equal(outcome, 'none')
      assert.notEqual(reason, '')
    }))

  test('explains a port on which nothing listens: nothing was sent, and the reason', async (harness) => {
    const { port } = await closed(await startRefusingServer(null))
    await withDriverAt(harness, port, async (driver) => {
      const { outcome, kind, reason } = explanationOf(driver, await failureOf(ask(driver, PID)))
      assert.equal(outcome, 'none')
      assert.equal(kind, 'unreachable')
      assert.match(reason, /ECONNREFUSED/)
    })
  })

  test('says that nothing was sent, at whatever message the startup is cut, and connects after it', async (harness) => {
    assert.ok(harness.server, 'the harness needs `server`')
    await using proxy = await startFaultProxy(harness.server)
    for (let last = 1; ; last += 1) {
      let messages = 0
      let isStarted = false
      // A driver may try again at once; each try is cut at the same message.
      const cutNext = (): void => {
        messages = 0
        void proxy
          .cutBefore(({ from, type }) => {
            if (from === 'client' || isStarted) return false
            messages += 1
            if (messages < last) isStarted = type === 'Z'
            return messages === last
          })
          .then(cutNext)
      }
      cutNext()
      let isUncut = false
      await withDriverAt(harness, proxy.port, async (driver) => {
        const error = await askOne(driver, PID).then(
          () => undefined,
          (failure: unknown) => failure,
        )
        isUncut = error === undefined
        if (isUncut) return
        assert.equal(explanationOf(driver, error).outcome, 'none', `cut at message ${last}`)
        isStarted = true
        assert.ok(await askOne(driver, PID))
      })
      if (isUncut) return assert.ok(last > 3, 'the startup was never cut')
    }
  })

  test('gives up on a server that never greets, says that nothing was sent, and connects later', async (harness) => {
    assert.ok(harness.server, 'the harness needs `server`')
    await using proxy = await startFaultProxy(harness.server)
    await proxy.blackHole()
    await withDriverAt(harness, proxy.port, async (driver) => {
      const error = await failureOf(ask(driver, PID, [], 300))
      assert.equal(explanationOf(driver, error).outcome, 'none')
      await proxy.pass()
      assert.ok(await askOne(driver, PID))
    })
  })
}

/** Gives what has been closed already. */
async function closed<Resource extends AsyncDisposable>(resource: Resource): Promise<Resource> {
  await resource[Symbol.asyncDispose]()
  return resource
}

async function withDriverAt(
  { driverAt }: DriverHarness,
  port: number,
  use: (driver: Driver) => Promise<void>,
): Promise<void> {
  assert.ok(driverAt, 'the harness needs `driverAt`')
  const { driver, dispose } = await driverAt('127.0.0.1', port)
  try {
    await use(driver)
  } finally {
    await dispose()
  }
}

async function withRefusal(
  harness: DriverHarness,
  refusal: Refusal | null,
  look: (explanation: ErrorExplanation) => void,
): Promise<void> {
  await using server = await startRefusingServer(refusal)
  await withDriverAt(harness, server.port, async (driver) => {
    const attempts = [
      failureOf(ask(driver, PID)),
      failureOf(driver.withConnection((connection) => ask(connection, PID))),
    ]
    for (const error of await Promise.all(attempts)) look(explanationOf(driver, error))
  })
}
