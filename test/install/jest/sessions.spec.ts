import { ConfigurationError, createSessions, isSessionError, MemoryStore } from 'pg-sessions'
import { withSession } from 'pg-sessions/fetch'
import { fromPg } from 'pg-sessions/pg'

test('a session is kept', async () => {
  const sessions = createSessions<{ basket: string[] }>({ store: new MemoryStore(), log: false })
  const handler = withSession(sessions, async (_request, session) => {
    session.set('basket', [...((await session.get('basket')) ?? []), 'tea'])
    return Response.json(await session.get('basket'))
  })
  const first = await handler(new Request('http://localhost/'))
  const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  const second = await handler(new Request('http://localhost/', { headers: { cookie } }))
  expect(await second.json()).toEqual(['tea', 'tea'])
  await sessions.close()
})

test('errors are told apart', () => {
  expect(() => createSessions({ database: fromPg as never })).toThrow(ConfigurationError)
  expect(isSessionError(new ConfigurationError('a setting'))).toBe(true)
})
