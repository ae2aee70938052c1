import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** The first port to try; 0 for any. */
  readonly port: number
  /** Where the embedded server keeps its data. */
  readonly dataDirectory: string
  /** A server to use instead of the embedded one. */
  readonly databaseUrl: string | undefined
}

const DATA_DIRECTORY = fileURLToPath(new URL('../.demo', import.meta.url))

export const help: string = `Usage: npm run demo [-- options]

Starts PostgreSQL and a small shop that keeps its sessions in it, on 127.0.0.1. Stop it with Ctrl-C.

  --port <number>   where to serve; when it is taken, the next free one. Default: 3000
  --data <folder>   where PostgreSQL keeps the data, over restarts. Default: .demo in the checkout
  --help            this text

Environment
  PORT              the same as --port
  DATABASE_URL      a PostgreSQL server of yours, in place of the one that comes along. The demo makes
                    the schema sessions_demo in it; "drop schema sessions_demo cascade" removes it
`

/** Says what is wrong with how the demo was called. */
export class CommandLineError extends Error {}

export function readCommandLine(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): DemoOptions | 'help' {
  const { help: wantsHelp, port, data } = parse(args)
  if (wantsHelp) return 'help'
  return {
    port: readPort(port ?? environment.PORT ?? '3000'),
    dataDirectory: data === undefined ? DATA_DIRECTORY : resolve(data),
    databaseUrl: environment.DATABASE_URL || undefined,
  }
}

function parse(args: readonly string[]): { help?: boolean; port?: string; data?: string } {
  const options = {
    help: { type: 'boolean', short: 'h' },
    port: { type: 'string' },
    data: { type: 'string' },
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new CommandLineError(`${(error as Error).message}\n\n${help}`)
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port < 65536) return port
  throw new CommandLineError(`The port must be a number from 0 to 65535; it is "${text}".`)
}
