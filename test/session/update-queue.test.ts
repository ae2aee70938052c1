import { expect, test } from 'vitest'
import { UpdateQueue } from '../../src/session/update-queue.ts'
import { Deadline } from '../../src/store/deadline.ts'

const ENDLESS = new Deadline(Number.POSITIVE_INFINITY)
const session = { id: 'a', userId: null, version: '1' }
const bytes = Uint8Array.of(1)

test('an update gets the value that the one before it has left', async () => {
  const queue = new UpdateQueue()
  const seen: unknown[] = []
  const update = () =>
    queue.run(session, 'key', ENDLESS, async (latest) => {
      seen.push(latest)
      return bytes
    })
  await Promise.all([update(), update(), update()])
  await update()
  expect(seen).toEqual([undefined, bytes, bytes, undefined])
})

test('no value passes to a request that saw another user, another sign-in or another key', async () => {
  const queue = new UpdateQueue()
  const seen: unknown[] = []
  const others = [
    [{ ...session, userId: 'ann' }, 'key'],
    [{ ...session, version: '2' }, 'key'],
    [{ ...session, id: 'b' }, 'key'],
    [session, 'other'],
  ] as const
  const first = queue.run(session, 'key', ENDLESS, async () => bytes)
  const rest = others.map(([precondition, key]) =>
    queue.run(precondition, key, ENDLESS, async (latest) => {
      seen.push(latest)
      return null
    }),
  )
  await Promise.all([first, ...rest])
  expect(seen).toEqual([undefined, undefined, undefined, undefined])
})

test('a failed update passes no value on', async () => {
  const queue = new UpdateQueue()
  const before = queue.run(session, 'key', ENDLESS, async () => bytes)
  const failing = queue.run(session, 'key', ENDLESS, () => Promise.reject(new Error('failed')))
  let seen: unknown = 'nothing'
  const next = queue.run(session, 'key', ENDLESS, async (latest) => {
    seen = latest
    return null
  })
  await expect(failing).rejects.toThrow('failed')
  await Promise.all([before, next])
  expect(seen).toBeUndefined()
})

test('an update that waits for another gives up at its own deadline, and never runs', async () => {
  const queue = new UpdateQueue()
  let release = (): void => {}
  const held = queue.run(session, 'key', ENDLESS, async () => {
    await new Promise<void>((resolve) => {
      release = resolve
    })
    return bytes
  })
  let ran = false
  const late = queue.run(session, 'key', new Deadline(1), async () => {
    ran = true
    return null
  })
  await expect(late).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', outcome: 'none' })
  // The next one still waits for the first, which is running.
  let isNext = false
  const next = queue.run(session, 'key', ENDLESS, async (latest) => {
    isNext = true
    return latest ?? null
  })
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(isNext).toBe(false)
  release()
  await Promise.all([held, next])
  expect(ran).toBe(false)
})
