import fc from 'fast-check'
import type { Session, Sessions } from 'pg-sessions'
import { expect, it } from 'vitest'
import { type Bench, eachStore } from '../support/each-store.ts'
import { Visitor } from '../support/each-store-visitor.ts'
import { ModelRequest, type ModelSession, SessionModel } from './session-model.ts'

type Data = Record<string, number>

/** What a handler can do, and what the model makes of it. Checks what is read on the way. */
type Step = (session: Session<Data>, model: ModelRequest) => void | Promise<void>

const keys = fc.constantFrom('a', 'b', '__proto__')
const users = fc.constantFrom('ann', 'bob')

const step = (name: string, run: Step): { name: string; run: Step } => ({ name, run })

const steps = fc.oneof(
  fc.tuple(keys, fc.nat(9)).map(([key, value]) =>
    step(`set ${key} ${value}`, (session, model) => {
      session.set(key, value)
      model.data.set(key, value)
    }),
  ),
  keys.map((key) =>
    step(`delete ${key}`, (session, model) => {
      session.delete(key)
      model.data.delete(key)
    }),
  ),
  keys.map((key) =>
    step(`get ${key}`, async (session, model) => {
      expect(await session.get(key)).toBe(model.data.get(key))
      expect(await session.has(key)).toBe(model.data.has(key))
    }),
  ),
  keys.map((key) =>
    step(`take ${key}`, async (session, model) => {
      expect(await session.take(key)).toBe(model.data.get(key))
      model.data.delete(key)
    }),
  ),
  keys.map((key) =>
    step(`update ${key}`, async (session, model) => {
      await session.update(key, (value = 0) => value + 1)
      model.data.set(key, (model.data.get(key) ?? 0) + 1)
      model.save()
    }),
  ),
  users.map((user) =>
    step(`sign in ${user}`, async (session, model) => {
      await session.signIn(user)
      model.signIn(user)
      expect(session.userId).toBe(user)
    }),
  ),
  fc.constantFrom(
    step('save', async (session, model) => {
      await session.save()
      model.save()
    }),
    step('rotate', (session, model) => {
      session.rotate()
      model.rotate()
    }),
    step('clear', (session, model) => {
      session.clear()
      model.clear()
    }),
    step('destroy', (session, model) => {
      session.destroy()
      model.destroy()
    }),
    step('sign out', async (session, model) => {
      await session.signOut()
      model.destroy()
    }),
  ),
)

/** A cookie jar, and what the model knows of the token in it. */
interface Jar {
  token: string | null
  session: ModelSession | null
  version: object | null
}

interface World {
  readonly bench: Bench<Data>
  readonly processes: readonly [Sessions<Data>, Sessions<Data>]
  /** Two browsers, and a copy of a token that an attacker has kept. */
  readonly jars: readonly [Jar, Jar, Jar]
}

type Command = fc.AsyncCommand<SessionModel, World>

function command(name: string, run: (model: SessionModel, world: World) => Promise<void>): Command {
  return {
    check: () => true,
    toString: () => name,
    async run(model, world) {
      await run(model, world)
      expect((await world.bench.sessions.count()).live).toBe(model.live().length)
    },
  }
}

async function request(
  [model, { processes, jars }]: [SessionModel, World],
  [jarIndex, process]: [number, number],
  run: readonly Step[],
): Promise<void> {
  const jar = jars[jarIndex] as Jar
  const visitor = new Visitor(processes[process] as Sessions<Data>, jar.token)
  const found = jar.session !== null && jar.session.version === jar.version ? jar.session : null
  const expected = new ModelRequest(model, found)
  const { session, commit } = visitor.open()
  await session.load()
  expect(session.isNew).toBe(expected.session === null)
  expect(session.userId).toBe(expected.session?.userId ?? null)
  for (const step of run) await step(session, expected)
  expect(Object.fromEntries(await session.entries())).toEqual(Object.fromEntries(expected.data))
  await commit()
  expected.save()
  if (expected.session === null) {
    expect(session.id).toBeNull()
  } else {
    model.checkId(expected.session, session.id)
    jar.session = expected.session
    jar.version = expected.session.version
  }
  jar.token = visitor.token
}

const requests = fc
  .tuple(fc.nat(2), fc.nat(1), fc.array(steps, { maxLength: 6, size: 'max' }))
  .map(([jar, process, run]) =>
    command(
      `request of ${jar} at ${process}: ${run.map(({ name }) => name).join(', ')}`,
      (...state) =>
        request(
          state,
          [jar, process],
          run.map((it) => it.run),
        ),
    ),
  )

const commands = fc.commands(
  [
    ...Array<typeof requests>(5).fill(requests),
    fc.nat(1).map((jar) =>
      command(`keep a copy of token ${jar}`, async (_, { jars }) => {
        Object.assign(jars[2], jars[jar])
      }),
    ),
    fc.constantFrom(25, 75).map((minutes) =>
      command(`${minutes} minutes pass`, async (model, { bench }) => {
        await bench.settled()
        await bench.elapse(minutes * 60_000)
        model.now += minutes
      }),
    ),
    fc.tuple(users, fc.nat(1)).map(([user, process]) =>
      command(`list ${user}`, async (model, { processes }) => {
        const list = await (processes[process] as Sessions<Data>).listByUser(user)
        const ids = model.live(user).map((session) => model.idOf(session))
        expect(list.map(({ id }) => id).sort()).toEqual(ids.sort())
      }),
    ),
    fc.tuple(users, fc.nat(2)).map(([user, jar]) =>
      command(`end all of ${user} but ${jar}`, async (model, { bench, jars }) => {
        const kept = jars[jar]?.session ?? null
        const ended = model.live(user).filter((session) => session !== kept)
        const except = kept === null ? null : model.idOf(kept)
        expect(await bench.sessions.destroyByUser(user, { except })).toBe(ended.length)
        for (const session of ended) session.isEnded = true
      }),
    ),
    fc.constant(command('purge', (_, { bench }) => bench.sessions.purge().then(() => undefined))),
  ],
  { maxCommands: 30, size: 'max' },
)

eachStore((open, storeName) => {
  it('sessions on two processes do what a simple model of them does', async () => {
    const run = async (): Promise<{ model: SessionModel; real: World }> => {
      const settings = {
        idleTimeout: '60m',
        absoluteTimeout: '110m',
        touchInterval: '1ms',
      } as const
      const bench = await open<Data>(settings)
      const jar = (): Jar => ({ token: null, session: null, version: null })
      return {
        model: new SessionModel(),
        real: {
          bench,
          processes: [bench.sessions, bench.alongside(settings)],
          jars: [jar(), jar(), jar()],
        },
      }
    }
    await fc.assert(
      fc.asyncProperty(commands, async (all) => {
        const state = await run()
        await fc.asyncModelRun(() => state, all)
      }),
      { numRuns: storeName === 'memory' ? 60 : 25, interruptAfterTimeLimit: 4_000 },
    )
  })
})
