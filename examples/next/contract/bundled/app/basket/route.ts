import { cookies, headers } from 'next/headers'
import { after } from 'next/server'
import { Pool } from 'pg'
import { createSessions } from 'pg-sessions'
import { nextSessions } from 'pg-sessions/next'
import { fromPg } from 'pg-sessions/pg'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const sessions = createSessions<{ basket: string }>({
  database: fromPg(pool),
  schema: 'bundled',
})
const getSession = nextSessions(sessions, { cookies, headers, after })

export async function POST(): Promise<Response> {
  const session = await getSession()
  session.set('basket', 'book')
  await session.save()
  return new Response(null, { status: 303, headers: { location: '/basket' } })
}

export async function GET(): Promise<Response> {
  const session = await getSession()
  return new Response(await session.get('basket'))
}
