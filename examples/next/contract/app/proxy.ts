import { type NextRequest, NextResponse } from 'next/server'
import { withSession } from 'pg-sessions/fetch'
import { getSession } from './session.ts'

export const config = { matcher: '/proxied/:path*' }

/** Two ways to a session before Next renders: around it, and as in the rest of the application. */
export async function proxy(request: NextRequest): Promise<Response> {
  const { sessions, script } = globalThis.contractParts
  if (request.nextUrl.pathname === '/proxied/within') {
    const session = await getSession()
    await script.use(session, request.url)
    await session.save()
    return NextResponse.next()
  }
  return withSession(sessions, async (_, session) => {
    await script.use(session, request.url)
    const isShut = request.nextUrl.pathname === '/proxied/guarded' && session.userId === null
    return isShut ? NextResponse.redirect(new URL('/use', request.url)) : NextResponse.next()
  })(request)
}
