import { ConfigurationError, StoreUnavailableError } from '../../errors.ts'
import { realTime } from '../../real-time.ts'

/** Sends commands to Redis, by whatever client. */
export interface RedisCommands {
  /** @throws {StoreUnavailableError} Redis did not answer. */
  send(command: readonly string[]): Promise<unknown>
  close(): Promise<void>
}

/** What is used of the package `redis`. */
interface NodeRedis {
  createClient(options: object): {
    on(event: 'error', listener: () => void): unknown
    connect(): Promise<unknown>
    sendCommand(command: readonly string[]): Promise<unknown>
    destroy?(): unknown
    disconnect?(): unknown
  }
}

/** What is used of the package `ioredis`. */
type IoRedis = new (
  url: string,
  options: object,
) => {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  call(command: string, ...args: readonly string[]): Promise<unknown>
  disconnect(): unknown
}

/**
 * Connects by the package `redis` (4 or newer) or `ioredis`, whichever is installed.
 *
 * @param load - Loads a package; undefined if it is not installed.
 * @throws {ConfigurationError} Neither is installed.
 * @throws {StoreUnavailableError} Redis cannot be reached.
 */
export async function connectRedis(
  url: string,
  timeout: number,
  load: (name: string) => unknown,
): Promise<RedisCommands> {
  const redis = load('redis')
  if (redis !== undefined) return withNodeRedis(redis as NodeRedis, url, timeout)
  const ioredis = load('ioredis')
  if (ioredis !== undefined) return withIoRedis(classOf(ioredis), url, timeout)
  throw new ConfigurationError(
    'Neither redis nor ioredis, with which the command line talks to Redis, is installed here. Run `npm install --save-dev redis` in your project and call pg-sessions from there.',
  )
}

async function withNodeRedis(
  { createClient }: NodeRedis,
  url: string,
  timeout: number,
): Promise<RedisCommands> {
  const socket = { connectTimeout: timeout, reconnectStrategy: false }
  const client = createClient({ url, socket })
  // What fails is told by the command that fails.
  client.on('error', () => undefined)
  const close = async (): Promise<void> => {
    if (client.destroy !== undefined) client.destroy()
    else await client.disconnect?.()
  }
  await answered(client.connect(), timeout)
  return { send: (command) => answered(client.sendCommand(command), timeout), close }
}

async function withIoRedis(Redis: IoRedis, url: string, timeout: number): Promise<RedisCommands> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: timeout,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  client.on('error', () => undefined)
  const close = async (): Promise<void> => {
    client.disconnect()
  }
  await answered(client.connect(), timeout).catch(async (error: unknown) => {
    await close()
    throw error
  })
  const send = ([name = '', ...args]: readonly string[]): Promise<unknown> =>
    answered(client.call(name, ...args), timeout)
  return { send, close }
}

function classOf(module: unknown): IoRedis {
  const { Redis } = module as { Redis?: IoRedis }
  return Redis ?? (module as IoRedis)
}

/** Waits for an answer, and tells a failure without the address, which may hold a password. */
async function answered<Answer>(answer: Promise<Answer>, timeout: number): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = realTime.setTimeout(() => reject(new StoreUnavailableError(LATE, 'unknown')), timeout)
  })
  try {
    return await Promise.race([answer, late])
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error
    const { code, message } = Object(error) as { code?: unknown; message?: unknown }
    // Redis begins its own errors with a word in capitals: NOAUTH, WRONGPASS, LOADING, MOVED.
    const own = /^[A-Z]{3,}\b/.exec(String(message))?.[0]
    const reason = own ?? (typeof code === 'string' ? code : 'the connection failed')
    throw new StoreUnavailableError(
      `Redis cannot be asked: ${reason}. Run the command again to go on; what has moved stays moved.`,
      'unknown',
    )
  } finally {
    realTime.clearTimeout(timer)
  }
}

const LATE =
  'Redis did not answer in time. Run the command again to go on; what has moved stays moved.'
