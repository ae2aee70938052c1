import { NextResponse } from 'next/server'
import { getSession } from '../../session'

export async function POST(request: Request): Promise<Response> {
  const session = await getSession()
  await session.signIn('ann') // after you have checked the password
  return NextResponse.redirect(new URL('/', request.url), 303)
}
