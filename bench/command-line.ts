import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Extent } from './environment/stage.ts'

export const SECTIONS = ['store', 'http', 'growth', 'purge', 'touch', 'memory', 'waiting'] as const
export type Section = (typeof SECTIONS)[number]

export interface Options {
  readonly extent: Extent
  readonly sections: readonly Section[]
  readonly json: boolean
  readonly profiles: string | null
}

/** What to do other than to measure. */
export type Errand = 'help' | 'page'

export const help = `Usage: npm run bench [-- <options>]

Measures what sessions cost: pg-sessions beside its peers, in rounds that take turns.

  --quick          about two minutes: what the targets speak of, on small data
  --full           an hour or so: 10 million sessions, and ten minutes of steady traffic
  --only <names>   some sections: ${SECTIONS.join(',')}
  --json           one JSON object on stdout instead of tables; bench/README.md explains its keys
  --profile <dir>  also write a CPU profile of each measured program, which makes it slower
  --page           measures nothing: puts the results that are kept into docs/performance.md
  --help

It starts a PostgreSQL server of its own, or uses the one that DATABASE_URL names, whose schemas and
tables called bench_* it drops; and the redis-server of the search path, if there is one.
Results go to bench/results. "npm run --silent bench" leaves out what npm prints.`

/** What was asked for cannot be done. */
export class CommandLineError extends Error {}

/** @throws {CommandLineError} An option or a section is unknown. */
export function readCommandLine(args: readonly string[]): Options | Errand {
  const values = parse(args)
  if (values.help) return 'help'
  if (values.page) return 'page'
  if (values.quick && values.full) throw new CommandLineError('--quick or --full, not both.')
  return {
    extent: values.quick ? 'quick' : values.full ? 'full' : 'standard',
    sections: values.only === undefined ? SECTIONS : readSections(values.only),
    json: values.json,
    profiles: values.profile === undefined ? null : resolve(values.profile),
  }
}

function parse(args: readonly string[]) {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: flag,
        full: flag,
        json: flag,
        help: flag,
        page: flag,
        only: { type: 'string' },
        profile: { type: 'string' },
      },
    })
    return values
  } catch (error) {
    throw new CommandLineError((error as Error).message)
  }
}

function readSections(names: string): Section[] {
  return names.split(',').map((name) => {
    const section = SECTIONS.find((known) => known === name.trim())
    if (section !== undefined) return section
    throw new CommandLineError(`There is no section "${name}". There are ${SECTIONS.join(', ')}.`)
  })
}
