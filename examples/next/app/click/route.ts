import { NextResponse } from 'next/server'
import { getSession } from '../../session'

export async function POST(request: Request): Promise<Response> {
  const session = await getSession()
  await session.update('clicks', (clicks = 0) => clicks + 1)
  return NextResponse.redirect(new URL('/', request.url), 303)
}
