import type { APIContext, APIRoute, AstroSession } from 'astro'
import '../../../../parts.ts'

type Act = (session: AstroSession, parameters: URLSearchParams) => unknown

/** Does to Astro's own session what the path says, and tells what it then holds. */
export const GET: APIRoute = async ({ session, params, url, redirect }: APIContext) => {
  if (session === undefined) return new Response('no session', { status: 500 })
  await acts[params.act ?? '']?.(session, url.searchParams)
  if (url.searchParams.has('redirect')) return redirect('/theirs/read')
  return Response.json(Object.fromEntries(await session.entries()))
}

const acts: Readonly<Record<string, Act>> = {
  read: () => undefined,
  set: (session, parameters) => {
    for (const [key, value] of parameters) session.set(key, value)
  },
  rich: (session) => {
    session.set('date', new Date(0))
    session.set('url', new URL('https://example.org/'))
    session.set('map', new Map([[1, new Set([2n])]]))
  },
  isRich: async (session) => {
    const [date, url, map] = [
      await session.get('date'),
      await session.get('url'),
      await session.get('map'),
    ]
    const isSame = date instanceof Date && url instanceof URL && map.get(1).has(2n)
    session.set('isRich', isSame && date.getTime() === 0)
  },
  delete: (session, parameters) => session.delete(parameters.get('key') ?? ''),
  regenerate: (session) => session.regenerate(),
  destroy: (session) => session.destroy(),
  slow: async (session) => {
    await session.get('first')
    session.set('slow', 'yes')
    await globalThis.slowRequest()
  },
}
