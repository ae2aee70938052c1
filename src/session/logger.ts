/**
 * Where log lines go: the shape of pino's loggers, which many others share.
 *
 * @example
 * ```ts
 * import pino from 'pino'
 * const sessions = createSessions({ database, log: pino() })
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
