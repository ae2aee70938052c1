import { Client } from 'pg'
import type { FaultProxy } from '../../src/testing/fault-proxy.ts'
import type { ApplicationProcess } from './application-process.ts'
import type { Random } from './random.ts'
import type { SoakServer } from './soak-server.ts'

/** What faults act on. */
export interface Surroundings {
  readonly server: SoakServer
  readonly proxy: FaultProxy
  readonly applications: readonly ApplicationProcess[]
  readonly random: Random
}

/** Something that goes wrong, and is over when `strike` resolves. */
export interface Fault {
  readonly name: string
  strike(surroundings: Surroundings): Promise<void>
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Runs SQL past the proxy. A server that is down takes the fault's place. */
async function asSuperuser(
  { server }: Surroundings,
  use: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client(server.url)
  client.on('error', () => {})
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}

const OTHERS = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`

export const faults: readonly Fault[] = [
  {
    name: 'all backends killed',
    strike: (given) => asSuperuser(given, (client) => client.query(OTHERS)),
  },
  {
    name: 'some backends killed',
    strike: (given) => asSuperuser(given, (client) => client.query(`${OTHERS} and random() < 0.3`)),
  },
  {
    name: 'connections cut',
    async strike({ proxy }) {
      proxy.cut()
    },
  },
  {
    name: 'a reply lost',
    async strike({ proxy }) {
      const lost = proxy.cutBefore(({ from, type }) => from === 'server' && type === 'C')
      await Promise.race([lost, pause(1000)])
    },
  },
  {
    name: 'network delayed',
    async strike({ proxy, random }) {
      await proxy.delay(50 + random.below(400))
      await pause(2000)
      await proxy.pass()
    },
  },
  {
    name: 'network swallows everything',
    async strike({ proxy, random }) {
      await proxy.blackHole()
      await pause(500 + random.below(2500))
      if (random.next() < 0.5) proxy.cut()
      await proxy.pass()
    },
  },
  {
    name: 'connections refused',
    async strike({ proxy }) {
      await proxy.refuse()
      await pause(1500)
      await proxy.pass()
    },
  },
  {
    name: 'server restarted at once',
    strike: ({ server }) => server.restart('immediate'),
  },
  { name: 'server restarted', strike: ({ server }) => server.restart('fast') },
  {
    name: 'rows locked',
    strike: (given) =>
      asSuperuser(given, async (client) => {
        await client.query('begin')
        await client.query('select from sessions.session where random() < 0.3 for update')
        await pause(1000 + given.random.below(2000))
        await client.query('rollback')
      }),
  },
  {
    name: 'table locked',
    strike: (given) =>
      asSuperuser(given, async (client) => {
        await client.query('begin')
        await client.query('lock table sessions.session in access exclusive mode')
        await pause(1000 + given.random.below(2000))
        await client.query('rollback')
      }),
  },
  {
    name: 'application killed',
    strike: ({ applications, random }) => random.pick(applications).killAndRestart(),
  },
  {
    name: 'application paused',
    strike: ({ applications, random }) => random.pick(applications).pause(3000),
  },
]
