import { redirect } from 'next/navigation'
import { own } from '../../session.ts'

async function act(): Promise<void> {
  'use server'
  const session = await own()()
  session.set('acted', true)
  await session.save()
  redirect('/rendered')
}

export default async function Page() {
  const session = await own()()
  return (
    <form action={act}>
      <p>{JSON.stringify(await session.entries())}</p>
      <button type="submit">Act</button>
    </form>
  )
}
