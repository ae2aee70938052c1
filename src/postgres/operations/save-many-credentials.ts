import type { SaveResult, SessionChange } from '../../store/session-store.ts'
import { type Operation, operation } from '../operation.ts'
import {
  boolean,
  bytes,
  duration,
  float,
  instant,
  integer,
  list,
  text,
  textsOrNull,
  uuid,
} from '../parameter-types.ts'
import { timesOf } from '../session-columns.ts'
import type { TableNames } from '../table-names.ts'
import {
  type CredentialSql,
  changeCredentials,
  giveCredentials,
  isGranted,
  packSaved,
  readSaved,
} from './credential-change.ts'
import { changesByIdTypes, giveChangesById, giveVersion } from './session-parameters.ts'
import { changeEntriesById, liveAndOwned } from './session-sql.ts'

/** What a shared statement asks of each session. */
const ASKED: CredentialSql = {
  id: 'asked.id',
  user: 'asked.user_id',
  version: 'asked.version',
  token: 'asked.token',
  signIn: 'asked.sign_in',
  factor: 'asked.factor',
  absolute: 'asked.absolute',
  keepsIdle: 'asked.keeps_idle',
  ownIdle: 'asked.own_idle',
  successor: 'asked.successor',
  needsToken: 'asked.needs_token',
}

/** Never waits: a session that another statement holds locked is left out, and saved alone. */
export function saveManyCredentials({
  session,
  sessionData,
}: TableNames): Operation<readonly SessionChange[], readonly (SaveResult | null)[]> {
  return operation({
    name: 'save_credentials_many',
    effect: 'once',
    parameters: {
      ids: list(uuid),
      users: list(text),
      versions: list(integer),
      idles: list(duration),
      purges: list(duration),
      graces: list(duration),
      shown: list(text),
      tags: list(text),
      tokens: list(bytes),
      signIns: list(text),
      factors: list(text),
      absolutes: list(instant),
      keepIdle: list(boolean),
      ownIdles: list(float),
      successors: list(bytes),
      needToken: list(boolean),
      ...changesByIdTypes,
    },
    give: (changes: readonly SessionChange[]) => {
      const given = changes.map(giveCredentials)
      const tokens = changes.map(({ credentials }) => credentials?.token)
      return {
        ids: changes.map(({ id }) => id),
        users: changes.map(({ userId }) => userId),
        versions: changes.map(({ version }) => giveVersion(version)),
        idles: changes.map(({ lifetime }) => lifetime.idle),
        purges: changes.map(({ lifetime }) => lifetime.purge),
        graces: tokens.map((token) => token?.grace?.duration),
        shown: tokens.map((token) => list(bytes).write(token?.from ?? [])),
        tags: changes.map(({ credentials }) =>
          textsOrNull.write(credentials?.signIn?.tags ?? null),
        ),
        tokens: given.map(({ token }) => token),
        signIns: given.map(({ signIn }) => signIn),
        factors: given.map(({ factor }) => factor),
        absolutes: given.map(({ absolute }) => absolute),
        keepIdle: given.map(({ keepsIdle }) => keepsIdle),
        ownIdles: given.map(({ ownIdle }) => ownIdle),
        successors: given.map(({ successor }) => successor),
        needToken: given.map((each) => each.needsToken),
        ...giveChangesById(changes),
      }
    },
    sql: (given) => ({
      asked: `
        select s.id, c.user_id, c.version, c.token, c.sign_in, c.factor, c.keeps_idle, c.own_idle,
          c.successor, c.needs_token, to_timestamp(c.absolute / 1000) as absolute, now() as now,
          c.shown::bytea[] as shown, c.tags::text[] as tags,
          now() + c.idle as idle_until, now() + c.purge as purge_until,
          now() + c.grace as grace_until, case when c.sign_in is not null then now() end as signed_in_at
        from unnest(
            ${given.ids}, ${given.users}, ${given.versions}, ${given.tokens}, ${given.signIns},
            ${given.factors}, ${given.keepIdle}, ${given.ownIdles}, ${given.successors},
            ${given.needToken}, ${given.absolutes}, ${given.shown}, ${given.tags}, ${given.idles},
            ${given.purges}, ${given.graces}
          ) as c (id, user_id, version, token, sign_in, factor, keeps_idle, own_idle, successor,
            needs_token, absolute, shown, tags, idle, purge, grace)
          join ${session} as s on s.id = c.id
        for no key update of s skip locked`,
      live: `
        update ${session} as s
        set ${changeCredentials(ASKED)}
        from asked
        where ${liveAndOwned(ASKED)} and ${isGranted(ASKED)}
        returning s.id, ${timesOf('s')}, s.secret_hash, s.sign_ins, asked.token`,
      ...changeEntriesById(sessionData, given),
      answer: `select uuid_send(id) || ${packSaved('token')} as packed from live`,
    }),
    // A session that is missing from the answer is gone, or locked, or its token is: alone it turns out.
    packed(answer, changes) {
      const results = new Map<string, SaveResult>()
      while (!answer.isAtEnd) results.set(answer.uuid(), readSaved(answer))
      return changes.map(({ id }) => results.get(id) ?? null)
    },
  })
}
