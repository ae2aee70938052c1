import { ConfigurationError, createSessions, MemoryStore, StoreUnavailableError } from 'pg-sessions'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Bench, eachStore } from '../support/each-store.ts'
import { watchStore } from '../support/each-store-watch.ts'

const HOUR = 3_600_000

async function fill({ visitor }: Bench<Record<string, unknown>>, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await visitor().visit((session) => session.set('a', n))
}

eachStore((open) => {
  it('purges what is dead, tells how many went, and leaves the living alone', async () => {
    const bench = await open({ idleTimeout: '1h' })
    await fill(bench, 3)
    await bench.elapse(HOUR)
    const ann = bench.visitor()
    await ann.visit((session) => session.set('a', 1))
    expect(await bench.sessions.count()).toEqual({ live: 1, expired: 3 })
    expect(await bench.sessions.purge()).toBe(3)
    expect(await bench.sessions.purge()).toBe(0)
    expect(await bench.sessions.count()).toEqual({ live: 1, expired: 0 })
    expect(await ann.visit((session) => session.get('a'))).toBe(1)
  })

  it('goes about it in batches, telling its progress, and stops after one when asked to', async () => {
    const bench = await open({ idleTimeout: '1h' })
    await fill(bench, 7)
    await bench.elapse(HOUR)
    const stopping = new AbortController()
    const progress: number[] = []
    const removed = await bench.sessions.purge({
      batchSize: 2,
      signal: stopping.signal,
      onProgress: (sum) => {
        progress.push(sum)
        if (sum === 4) stopping.abort()
      },
    })
    expect(removed).toBe(4)
    expect(progress).toEqual([2, 4])
    expect(await bench.sessions.purge({ batchSize: 2, onProgress: (n) => progress.push(n) })).toBe(
      3,
    )
    expect(progress).toEqual([2, 4, 2, 3])
    expect(await bench.stored()).toBe(0)
  })

  it('refuses a batch size that would never get anywhere', async () => {
    const { sessions, watched } = await open()
    for (const batchSize of [0, -1, 1.5, Number.NaN, '5' as unknown as number]) {
      await expect(sessions.purge({ batchSize })).rejects.toThrow(ConfigurationError)
    }
    expect(watched.calls).toEqual([])
  })

  it('the purger purges at once, and again and again', async () => {
    const bench = await open({ idleTimeout: '1h', purgeInterval: '5ms' })
    await fill(bench, 2)
    await bench.elapse(HOUR)
    const purger = bench.sessions.startPurger()
    await expect.poll(() => bench.stored()).toBe(0)
    await fill(bench, 2)
    await bench.elapse(HOUR)
    await expect.poll(() => bench.stored()).toBe(0)
    await purger.stop()
  })

  it('stopping waits for the batch under way, and no other follows', async () => {
    const bench = await open({ idleTimeout: '1h', purgeInterval: '1ms' })
    await fill(bench, 3)
    await bench.elapse(HOUR)
    const held = bench.watched.hold('purge')
    const purger = bench.sessions.startPurger()
    await held.reached
    let isStopped = false
    const stopping = purger.stop().then(() => {
      isStopped = true
    })
    await new Promise(setImmediate)
    expect(isStopped).toBe(false)
    held.release()
    await stopping
    expect(await bench.stored(), 'the batch was done').toBe(0)
    expect(bench.watched.calls.filter((call) => call === 'purge')).toHaveLength(1)
    await purger.stop()
  })
})

describe('the purger', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function startPurger(settings: { purgeInterval: '1h' | '100d' }) {
    const watched = watchStore(new MemoryStore())
    const lines: [facts: object, message: string][] = []
    const error = (facts: object, message: string): void => {
      lines.push([facts, message])
    }
    const sessions = createSessions({
      log: { debug() {}, info() {}, warn() {}, error },
      ...settings,
      store: watched.store,
    })
    return { sessions, purger: sessions.startPurger(), watched, lines }
  }

  it('outlives every failure, logs it, and waits for its next turn as if there had been none', async () => {
    const { purger, watched, lines } = startPurger({ purgeInterval: '1h' })
    const failures = [new TypeError('a fault'), new StoreUnavailableError('no answer', 'none')]
    for (const failure of failures) watched.fail('purge', failure)
    await vi.advanceTimersByTimeAsync(10 * HOUR)
    expect(watched.calls.length).toBeGreaterThan(5)
    expect(watched.calls.length, 'not in a hot loop').toBeLessThan(22)
    expect(lines).toEqual(
      failures.map((err) => [{ err }, 'a purge failed; the next one is tried as planned']),
    )
    await purger.stop()
  })

  it('outlives a log that throws', async () => {
    const watched = watchStore(new MemoryStore())
    const fail = (): never => {
      throw new Error('disk full')
    }
    const sessions = createSessions({
      store: watched.store,
      log: { debug: fail, info: fail, warn: fail, error: fail },
      purgeInterval: '1h',
    })
    watched.fail('purge', new TypeError('a fault'))
    const purger = sessions.startPurger()
    await vi.advanceTimersByTimeAsync(5 * HOUR)
    expect(watched.calls.length).toBeGreaterThan(2)
    await purger.stop()
  })

  it('waits between half and one and a half of its interval, so that processes drift apart', async () => {
    const { purger, watched } = startPurger({ purgeInterval: '1h' })
    await vi.advanceTimersByTimeAsync(HOUR / 2 - 1)
    expect(watched.calls).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(watched.calls.length).toBeGreaterThan(1)
    await purger.stop()
  })

  it('waits also when its interval is longer than a timer can be', async () => {
    const { purger, watched } = startPurger({ purgeInterval: '100d' })
    await vi.advanceTimersByTimeAsync(24 * 24 * HOUR)
    expect(watched.calls).toHaveLength(1)
    await purger.stop()
  })

  it('ends with its scope, be it at work or between two turns', async () => {
    for (const rest of [0, 1]) {
      const { purger, watched } = startPurger({ purgeInterval: '1h' })
      await vi.advanceTimersByTimeAsync(rest)
      await purger[Symbol.asyncDispose]()
      await vi.advanceTimersByTimeAsync(10 * HOUR)
      expect(watched.calls).toHaveLength(1)
    }
  })

  it('ends with the sessions', async () => {
    const { sessions, watched, lines } = startPurger({ purgeInterval: '1h' })
    await sessions.close()
    await vi.advanceTimersByTimeAsync(10 * HOUR)
    expect([watched.calls.length, lines]).toEqual([1, []])
  })
})

it('a purger does not keep the process alive', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
  const sessions = createSessions({ store: new MemoryStore(), log: false })
  const before = timers()
  const purger = sessions.startPurger()
  await new Promise(setImmediate)
  expect(timers()).toBe(before)
  await purger.stop()
})
