import { NextResponse } from 'next/server'
import { getSession } from '../../session'

export async function POST(request: Request): Promise<Response> {
  const session = await getSession()
  await session.signOut()
  return NextResponse.redirect(new URL('/', request.url), 303)
}
