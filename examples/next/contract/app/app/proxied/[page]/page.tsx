import { getSession } from '../../../session.ts'

export default async function Page() {
  const session = await getSession()
  const entries = Object.fromEntries(await session.entries())
  return <output>{JSON.stringify({ userId: session.userId, entries })}</output>
}
