/**
 * What every example does, as its visitors see it. `npm run test:frameworks` runs it in the example's
 * folder, on a database of its own.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ExampleVisitor } from './example-visitor.ts'
import { type RunningExample, startExample } from './running-example.ts'

let example: RunningExample

before(async () => {
  example = await startExample()
})

after(() => example.stop())

test('greets a stranger, and gives no cookie to who only looks', async () => {
  const visitor = new ExampleVisitor(example.origin)
  assert.deepEqual(await visitor.look(), { name: 'stranger', clicks: 0 })
  assert.equal(visitor.cookies, '')
})

test('counts the clicks of each visitor apart, also those of a moment', async () => {
  const visitor = new ExampleVisitor(example.origin)
  await visitor.press('Click')
  assert.deepEqual(await visitor.look(), { name: 'stranger', clicks: 1 })
  await Promise.all(Array.from({ length: 10 }, () => visitor.press('Click')))
  assert.deepEqual(await visitor.look(), { name: 'stranger', clicks: 11 })
  assert.deepEqual(await new ExampleVisitor(example.origin).look(), { name: 'stranger', clicks: 0 })
})

test('signs in, with a new token, and keeps the clicks', async () => {
  const visitor = new ExampleVisitor(example.origin)
  await visitor.press('Click')
  const thief = visitor.twin()
  await visitor.press('Sign in')
  assert.deepEqual(await visitor.look(), { name: 'ann', clicks: 1 })
  assert.deepEqual(await thief.look(), { name: 'stranger', clicks: 0 })
})

test('knows a visitor after a restart', async () => {
  const visitor = new ExampleVisitor(example.origin)
  await visitor.press('Sign in')
  await visitor.press('Click')
  await example.restart()
  assert.deepEqual(await visitor.look(), { name: 'ann', clicks: 1 })
})

test('signs out, everywhere that the token has gone', async () => {
  const visitor = new ExampleVisitor(example.origin)
  await visitor.press('Sign in')
  await visitor.press('Click')
  const twin = visitor.twin()
  await visitor.press('Sign out')
  assert.deepEqual(await visitor.look(), { name: 'stranger', clicks: 0 })
  assert.equal(visitor.cookies, '')
  assert.deepEqual(await twin.look(), { name: 'stranger', clicks: 0 })
})
