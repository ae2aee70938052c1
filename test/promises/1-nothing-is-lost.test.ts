import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FixtureProcesses, startTwoProcesses } from '../support/fixture-server-processes.ts'

/** Promise 1: requests at once that change different keys all keep their changes; updates are atomic. */

let processes: FixtureProcesses
beforeAll(async () => {
  processes = await startTwoProcesses()
})
afterAll(() => processes.stop())

const fifty = Array.from({ length: 50 }, (_, n) => n)

it('50 requests at once on two processes that each set another key keep 50 keys', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/first/1')
  const answers = await Promise.all(fifty.map((n) => ann.post(`/do/set/key${n}/${n}`)))
  expect(answers.map(({ status }) => status)).toEqual(fifty.map(() => 200))
  const expected = Object.fromEntries(fifty.map((n) => [`key${n}`, String(n)]))
  expect((await ann.session()).data).toEqual({ first: '1', ...expected })
})

it('50 updates at once of one counter on two processes make 50', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/other/1')
  const answers = await Promise.all(fifty.map(() => ann.post('/do/increment/n')))
  expect(answers.map(({ status }) => status)).toEqual(fifty.map(() => 200))
  expect((await ann.session()).data).toEqual({ other: '1', n: 50 })
})

it('updates, sets and deletions of other keys at once do not disturb each other', async () => {
  const ann = processes.visitor()
  for (let n = 0; n < 10; n += 1) await ann.post(`/do/set/old${n}/x`)
  await Promise.all(
    fifty.flatMap((n) => [
      ann.post('/do/increment/n'),
      ann.post(`/do/set/new${n % 10}/${n}`),
      ...(n < 10 ? [ann.post(`/do/delete/old${n}`)] : []),
    ]),
  )
  const { data } = await ann.session()
  expect(data.n).toBe(50)
  expect(Object.keys(data).sort()).toEqual([
    'n',
    ...Array.from({ length: 10 }, (_, n) => `new${n}`),
  ])
})

it('a key that one request deletes stays deleted while a slower one saves another', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/doomed/1')
  await ann.post('/do/set/kept/1')
  const slow = ann.at(0)
  const saving = slow.post('/slow/deletion/set/late/1')
  await slow.get('/gates/deletion/reached/1')
  await ann.at(1).post('/do/delete/doomed')
  await slow.openGate('deletion')
  expect((await saving).status).toBe(200)
  expect((await ann.session()).data).toEqual({ kept: '1', late: '1' })
})

it('writes of one key at once end as one of them, whole', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/word/first')
  const words = fifty.map((n) => `${n}`.repeat(200))
  await Promise.all(words.map((word) => ann.post(`/do/set/word/${word}`)))
  expect(words).toContain((await ann.session()).data.word)
})

it('one value is taken by one of many requests', async () => {
  const ann = processes.visitor()
  await ann.post('/do/set/notice/Welcome')
  const taken = await Promise.all(fifty.map(() => ann.post('/do/take/notice')))
  expect(taken.map(({ result }) => result).filter((result) => result !== undefined)).toEqual([
    'Welcome',
  ])
})
