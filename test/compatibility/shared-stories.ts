/** What the store has to do behind every middleware, on its routes for setting, deleting and reading keys. */
import { expect } from 'vitest'
import type { Browser } from './browser.ts'
import type { Gate } from './gate.ts'

/** Requests at once that each set another key keep all. */
export async function setKeysAtOnce(ann: Browser, count: number): Promise<void> {
  await ann.get('/set/first/1')
  const keys = Array.from({ length: count }, (_, index) => `key${index}`)
  await Promise.all(keys.map((key) => ann.twin().get(`/set/${key}/yes`)))
  const expected = Object.fromEntries(keys.map((key) => [key, 'yes']))
  expect(await ann.json('/read')).toEqual({ first: '1', ...expected })
}

/** A logout while a request to `/slow` waits at the gate stays one, and the slow request is none the wiser. */
export async function logOutMeanwhile(ann: Browser, gate: Gate): Promise<void> {
  await ann.get('/set/a/1')
  await ann.get('/set/b/2')
  await ann.get('/delete/a')
  expect(await ann.json('/read')).toEqual({ b: '2' })
  const stolen = ann.twin()
  const slow = ann.twin().get('/slow')
  await gate.reached
  await ann.get('/logout')
  gate.open()
  expect(await slow).toMatchObject({ status: 200, text: 'done' })
  expect(await stolen.json('/read')).toEqual({})
}
