import type { MutantGroup } from './mutant.ts'
import { CONTRACT, RACES } from './test-files.ts'

const FACTORS = 'test/session/second-factor.test.ts'

/** Tags, caps, actors and second factors. */
export const signInMutants: readonly MutantGroup[] = [
  {
    file: 'src/postgres/operations/tag.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the limit of tags',
        from: 'case when cardinality(wanted.tags) > ${most} then wanted.before else wanted.tags end',
        to: 'wanted.tags',
      },
      {
        without: 'the guard of a change of tags',
        from: `where \${liveAndOwned(guard)}
        for no key update`,
        to: `where s.id = \${guard.id}
        for no key update`,
      },
      {
        without: 'telling that a session has no room for a tag',
        from: 'return isFull ?',
        to: 'return isFull && false ?',
      },
    ],
  },
  {
    file: 'src/session/session-tags.ts',
    tests: ['test/session/tags.test.ts'],
    mutants: [
      {
        without: 'refusing what can be no tag, at a sign-in',
        from: "for (const tag of tags) checkTag('tags', tag)",
        to: '',
      },
      {
        without: 'the limit of the tags of a sign-in',
        from: 'if (distinct.length > MOST_TAGS) throw tooMany()',
        to: '',
      },
    ],
  },
  {
    file: 'src/postgres/operations/make-room.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'leaving the session that signs in again out of the eviction',
        from: `and s.id is distinct from \${own}
        order by`,
        to: `
        order by`,
      },
      {
        without: 'evicting those that began longest ago',
        from: 'desc, s.id desc',
        to: 'asc, s.id asc',
      },
      {
        without: 'leaving sessions of actors out of the count',
        from: `and s.actor_id is null and s.expires_at > now()
          and s.id is distinct from \${own}\``,
        to: `and s.expires_at > now()
          and s.id is distinct from \${own}\``,
      },
      {
        without: 'leaving dead sessions out of the count',
        from: `and s.actor_id is null and s.expires_at > now()
          and s.id is distinct from \${own}\``,
        to: `and s.actor_id is null
          and s.id is distinct from \${own}\``,
      },
      {
        without: 'leaving sessions of actors out of the eviction',
        from: `and s.actor_id is null and s.expires_at > now()
          and s.id is distinct from \${own}
        order by`,
        to: `and s.expires_at > now()
          and s.id is distinct from \${own}
        order by`,
      },
      {
        without: 'leaving dead sessions out of the eviction',
        from: `and s.actor_id is null and s.expires_at > now()
          and s.id is distinct from \${own}
        order by`,
        to: `and s.actor_id is null
          and s.id is distinct from \${own}
        order by`,
      },
    ],
  },
  {
    file: 'src/postgres/user-caps.ts',
    tests: [CONTRACT, 'test/postgres/caps.test.ts', 'test/session/max-per-user.test.ts'],
    mutants: [
      {
        without: 'the limit of a cap that refuses',
        from: '>= cap.count)',
        to: '> cap.count)',
      },
      {
        without: 'keeping the sessions of a user whose sign-in fails',
        from: 'const keeps = signIn.isDone(answer)',
        to: 'const keeps = true',
      },
      {
        without: 'telling of evictions whose commit got lost',
        from: 'if (isUnknown(error)) tell()',
        to: '',
      },
      {
        without: 'a lock of its own for each user',
        from: 'const name = `pg-sessions user ${this.#names.session} ${userId}`',
        to: 'const name = `pg-sessions user ${this.#names.session} ${userId} ${Math.random()}`',
        tests: [RACES],
      },
    ],
  },
  {
    file: 'src/postgres/locked-transaction.ts',
    tests: [CONTRACT, 'test/postgres/caps.test.ts'],
    mutants: [
      {
        without: 'the lock of a user',
        from: 'select pg_advisory_xact_lock(${lock});`',
        to: 'select ${lock};`',
      },
      {
        without: 'knowing that a lost commit may have been applied',
        from: "if (progress.isCommitting && kind === 'unknown') throw failure",
        to: '',
        tests: ['test/postgres/caps.test.ts'],
      },
    ],
  },
  {
    file: 'src/postgres/operations/end-acting.ts',
    tests: [CONTRACT],
    mutants: [
      {
        without: 'the token of the acting session',
        from: ' and ${opensTo(hashes)}',
        to: '',
      },
      {
        without: "looking whose the actor's session is",
        from: 's.user_id = found.actor_id',
        to: 'true',
      },
      {
        without: "looking whether the actor's session lives",
        from: 'and s.actor_id is null and s.expires_at > now()',
        to: 'and s.actor_id is null',
      },
      {
        without: 'the lock before the look at the acting session',
        from: `\${opensTo(hashes)}
        for update`,
        to: '${opensTo(hashes)}',
        tests: [RACES],
      },
    ],
  },
  {
    file: 'src/session/actor-liveness.ts',
    tests: ['test/session/acting.test.ts'],
    mutants: [
      {
        without: "the end of an acting session with the administrator's own",
        from: 'return live.some((own) => isOwnOf(own, actor))',
        to: 'return live !== undefined',
      },
      {
        without: "looking whose the actor's own session is",
        from: ' && own.userId === actor.userId',
        to: '',
      },
      {
        without: "leaving acting sessions out of lists once the administrator's own has ended",
        from: 'if (ids.length === 0) return sessions',
        to: 'return sessions',
      },
    ],
  },
  {
    file: 'src/session/act-as-user.ts',
    tests: ['test/session/acting.test.ts'],
    mutants: [
      {
        without: 'saying that an impersonation has ended though its call failed',
        from: 'throw partlyDone(error, WENT_BACK)',
        to: 'throw error',
      },
      {
        without: 'saying that a sign-out has ended an impersonation though it failed',
        from: 'throw partlyDone(error, ACTOR_LEFT)',
        to: 'throw error',
      },
      {
        without: 'looking whether the actor is the user of the session',
        from: 'snapshot?.summary.userId !== actor ||',
        to: 'snapshot === null ||',
      },
      {
        without: 'refusing to act as a user while acting as another',
        from: ' || snapshot.summary.actor !== undefined',
        to: '',
      },
      {
        without: "the deadline of the administrator's own session",
        from: 'Math.min(atMost, policy.absoluteTimeout, expiresAt - now)',
        to: 'Math.min(atMost, policy.absoluteTimeout)',
      },
    ],
  },
  {
    file: 'src/session/session-state.ts',
    tests: ['test/session/acting.test.ts'],
    mutants: [
      {
        without: "the end of the administrator's own session at a sign-out",
        from: 'if (actor !== undefined) await signOutActor(this.context, actor, deadline)',
        to: '',
      },
    ],
  },
  {
    file: 'src/session/elevation.ts',
    tests: [FACTORS],
    mutants: [
      {
        without: 'refusing a factor of no user',
        from: 'if (userId === null) {',
        to: 'if (userId === undefined) {',
      },
      {
        without: 'refusing a factor that an administrator proves for a user',
        from: 'if (actor === undefined) return',
        to: 'return',
      },
    ],
  },
  {
    file: 'src/session/session-snapshot.ts',
    tests: [FACTORS],
    mutants: [
      {
        without: 'forgetting a factor in the request that signs in',
        from: 'change.userId === undefined && elevation !== undefined',
        to: 'elevation !== undefined',
      },
    ],
  },
  {
    file: 'src/postgres/operations/credential-change.ts',
    tests: [CONTRACT, RACES],
    mutants: [
      {
        without: 'forgetting a factor at a sign-in',
        from: 'when ${given.signIn} is null then s.elevated_at',
        to: 'else s.elevated_at',
      },
      {
        without: 'the token that a factor is proved with',
        from: 'needsToken({ token, signIn, ...lifetime }: CredentialChange',
        to: 'needsToken({ token, signIn, factor: _, ...lifetime }: CredentialChange',
      },
    ],
  },
]
