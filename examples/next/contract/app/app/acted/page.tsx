import { getSession } from '../../session.ts'
import * as actions from './actions.ts'

/** A form for each action, and what the session holds as the page is rendered. */
export default async function Page() {
  const session = await getSession()
  const entries = Object.fromEntries(await session.entries())
  return (
    <main>
      <output>{JSON.stringify({ userId: session.userId, entries })}</output>
      {Object.entries(actions).map(([name, action]) => (
        <form key={name} action={action as (form: FormData) => Promise<void>} data-act={name}>
          <input name="key" />
          <button type="submit">{name}</button>
        </form>
      ))}
    </main>
  )
}
