import { expect, test } from 'vitest'
import { createTestDatabase } from './database.ts'

test('each test database is empty, its own, and gone after drop', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
  await one.query('create table only_here (n int)')
  expect(await one.query('select 1 as n; select count(*)::int as n from only_here')).toEqual([
    { n: 0 },
  ])
  await expect(two.query('select * from only_here')).rejects.toMatchObject({ code: '42P01' })
  await one.drop()
  await one.drop()
  const answer = () => one.query('select 1').catch(({ code }) => code)
  await expect.poll(answer, { timeout: 20_000 }).toBe('3D000')
  await two.drop()
})
