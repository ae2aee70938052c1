import { type Operation, operation } from '../operation.ts'
import { duration, uuid } from '../parameter-types.ts'
import type { TableNames } from '../table-names.ts'

/** A sign-in that is to look older. */
interface Backdating {
  readonly id: string
  readonly milliseconds: number
}

/** Moves the time of a sign-in back, for tests. */
export function backdateSignIn({ session }: TableNames): Operation<Backdating, undefined> {
  return operation({
    name: 'backdate_sign_in',
    effect: 'once',
    parameters: { id: uuid, age: duration },
    give: ({ id, milliseconds }: Backdating) => ({ id, age: milliseconds }),
    sql: ({ id, age }) => ({
      answer: `
        update ${session} as s
        set authenticated_at = (s.authenticated_at at time zone 'utc' - ${age}) at time zone 'utc'
        where s.id = ${id} and s.expires_at > now()`,
    }),
    done: () => undefined,
  })
}
