import { expect, test, vi } from 'vitest'
import { realTime } from '../../src/real-time.ts'
import { Deadline } from '../../src/store/deadline.ts'

const late = (): Error => new Error('too late')
const never = new Promise<never>(() => {})

test('a deadline that has passed leaves nothing', () => {
  const deadline = new Deadline(0)
  expect(deadline.left()).toBe(0)
  expect(deadline.isOver).toBe(true)
  expect(new Deadline(60_000).isOver).toBe(false)
})

test('what does not end is given up at the deadline, and not before', async () => {
  // Timers count whole milliseconds, so one in some fires a fraction of a millisecond early.
  for (let round = 0; round < 300; round++) {
    const deadline = new Deadline(1 + (round % 10) / 10)
    await expect(deadline.race(never, late)).rejects.toThrow('too late')
    expect(deadline.isOver).toBe(true)
  }
})

test('an answer that arrived while the process was busy counts', async () => {
  const deadline = new Deadline(1)
  const answer = new Promise((resolve) => setTimeout(resolve, 2, 'in time'))
  const result = deadline.race(answer, late)
  while (!new Deadline(0).isOver || deadline.left() > 0) Math.sqrt(2)
  const busyUntil = performance.now() + 20
  while (performance.now() < busyUntil) Math.sqrt(2)
  expect(await result).toBe('in time')
})

test('a deadline beyond what a timer can count does not end at once, nor does an endless one', async () => {
  const soon = new Promise((resolve) => setTimeout(resolve, 20, 'answered'))
  for (const duration of [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY]) {
    expect(await new Deadline(duration).race(soon, late)).toBe('answered')
  }
})

test.each([50, 2 ** 40])(
  'a deadline of %d ms takes a timer, and no loop of them',
  async (duration) => {
    const timers = vi.spyOn(realTime, 'setTimeout')
    const soon = new Promise((resolve) => setTimeout(resolve, 40))
    await new Deadline(duration).race(soon, late).catch(String)
    const { length } = timers.mock.calls
    timers.mockRestore()
    // One more if the first fires a fraction of a millisecond early.
    expect(length).toBeLessThanOrEqual(2)
  },
)

test('no timer is left when the work is done', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const before = timers()
  await Promise.all(
    Array.from({ length: 20 }, () => new Deadline(60_000).race(Promise.resolve(), late)),
  )
  expect(timers()).toBeLessThan(before + 20)
})
