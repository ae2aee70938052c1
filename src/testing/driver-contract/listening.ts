import assert from 'node:assert/strict'
import type { Listening } from '../../postgres/driver.ts'
import { ask, type DriverHarness, type DriverTest, whileAllAreLent } from './harness.ts'

/** A driver that listens hears what is sent on other connections. One that cannot passes as it is. */
export function listeningTests(test: DriverTest): void {
  test('hears what is sent on its channel, and on no other', async (harness) => {
    await using ear = await openEar(harness, 'contract_own')
    if (ear === null) return
    await send(harness, 'contract_other', 'for others')
    await send(harness, 'contract_own', 'first')
    await send(harness, 'contract_own', 'zß水 second')
    await ear.until('zß水 second')
    assert.deepEqual(ear.heard, ['first', 'zß水 second'])
  })

  test('hears for every listener of a channel', async (harness) => {
    await using one = await openEar(harness, 'contract_shared')
    await using other = await openEar(harness, 'contract_shared')
    if (one === null || other === null) return
    await send(harness, 'contract_shared', 'to all')
    await Promise.all([one.until('to all'), other.until('to all')])
  })

  test('hears nothing more once it is stopped', async (harness) => {
    await using stopped = await openEar(harness, 'contract_stopped')
    await using other = await openEar(harness, 'contract_stopped')
    if (stopped === null || other === null) return
    await stopped.listening.stop()
    await stopped.listening.stop()
    await send(harness, 'contract_stopped', 'too late')
    await other.until('too late')
    assert.deepEqual(stopped.heard, [])
    assert.equal(stopped.isLost(), false)
  })

  test('takes no connection from those who ask while it listens', async (harness) => {
    await using ear = await openEar(harness, 'contract_beside')
    if (ear === null) return
    await whileAllAreLent(harness, async () => {})
    await send(harness, 'contract_beside', 'still here')
    await ear.until('still here')
  })

  test('says when its connection was lost, and listens again when asked', async (harness) => {
    const { killBackends } = harness
    await using ear = await openEar(harness, 'contract_lost')
    if (ear === null || killBackends === undefined) return
    await killBackends.call(harness)
    await ear.lost
    await using next = await openEar(harness, 'contract_lost')
    await sendAgain(harness, 'contract_lost', 'back')
    await next?.until('back')
  })
}

interface Ear extends AsyncDisposable {
  readonly listening: Listening
  readonly heard: readonly string[]
  /** Resolves once the message has come. */
  until(message: string): Promise<void>
  readonly lost: Promise<void>
  isLost(): boolean
}

/** Null for a driver that cannot listen. */
async function openEar({ driver }: DriverHarness, channel: string): Promise<Ear | null> {
  if (driver.listen === undefined) return null
  const heard: string[] = []
  const waiting = new Map<string, () => void>()
  let lose = (): void => {}
  let isLost = false
  const lost = new Promise<void>((resolve) => {
    lose = () => {
      isLost = true
      resolve()
    }
  })
  const hear = (message: string): void => {
    heard.push(message)
    waiting.get(message)?.()
  }
  const listening = await driver.listen(channel, hear, () => lose())
  return {
    listening,
    heard,
    until: (message) =>
      new Promise((resolve) => {
        waiting.set(message, resolve)
        if (heard.includes(message)) resolve()
      }),
    lost,
    isLost: () => isLost,
    [Symbol.asyncDispose]: () => listening.stop(),
  }
}

async function send({ driver }: DriverHarness, channel: string, message: string): Promise<void> {
  await ask(driver, 'select pg_notify($1::text, $2::text)::text as sent', [channel, message])
}

/** Every connection that was ended may cost a statement. */
async function sendAgain(harness: DriverHarness, channel: string, message: string): Promise<void> {
  for (let failures = 0; ; failures++) {
    try {
      return await send(harness, channel, message)
    } catch (error) {
      if (failures >= harness.connections) throw error
    }
  }
}
