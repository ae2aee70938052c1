import { own } from '../../session.ts'

/** Uses the session while it renders, where Next takes no cookie. */
export default async function Page({
  searchParams,
}: {
  searchParams: Promise<Record<string, string>>
}) {
  const session = await own()()
  const query = new URLSearchParams(await searchParams)
  await session.load()
  try {
    globalThis.contractParts.script.change(session, `/rendered?${query}`)
  } catch (error) {
    return <p>{String(Reflect.get(Object(error), 'code'))}</p>
  }
  return <p>{`rendered for ${session.userId ?? 'anonymous'}`}</p>
}
