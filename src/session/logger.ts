import { ConfigurationError } from '../errors.ts'

/**
 * Where log lines go: the shape of pino's loggers, which many others share.
 *
 * @example
 * ```ts
 * const sessions = createSessions({ database, log: console }) // or pino()
 * ```
 */
export interface Logger {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** Writes lines from `info` up to stdout. The default. */
export const stdoutLogger: Logger = {
  debug() {},
  info: (facts, message) => print('info', facts, message),
  warn: (facts, message) => print('warn', facts, message),
  error: (facts, message) => print('error', facts, message),
}

/**
 * Checks a logger and makes one of it that never throws, since a log that fails must not end the work it
 * tells of.
 *
 * @throws {ConfigurationError} It lacks a method.
 */
export function reliableLogger(log: Logger): Logger {
  for (const level of LEVELS) {
    if (typeof log?.[level] === 'function') continue
    throw new ConfigurationError(
      `log must be a logger with debug, info, warn and error, as pino() gives one, or false for none; it lacks ${level}.`,
    )
  }
  const quietly =
    (level: keyof Logger) =>
    (facts: object, message: string): void => {
      try {
        const written: unknown = log[level](facts, message)
        if (written instanceof Promise) written.catch(() => undefined)
      } catch {
        // Nothing is left to report to.
      }
    }
  return {
    debug: quietly('debug'),
    info: quietly('info'),
    warn: quietly('warn'),
    error: quietly('error'),
  }
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Writes nothing: what `log: false` stands for. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

function print(level: string, facts: object, message: string): void {
  const details = Object.entries(facts)
    .map(([name, fact]) => ` ${name}=${printable(fact)}`)
    .join('')
  console.log(`pg-sessions ${level}: ${message}${details}`)
}

function printable(fact: unknown): string {
  return fact instanceof Error ? JSON.stringify(fact.message) : JSON.stringify(fact)
}
