/**
 * Spans and metrics of sessions for OpenTelemetry.
 *
 * @module
 */
import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { type Option, type OptionTable, option, refuse } from '../options/option.ts'
import { readOptions } from '../options/read-options.ts'
import { recordMeasurements, type SessionCounter } from './opentelemetry/measurements.ts'
import { recordSpans } from './opentelemetry/spans.ts'

export type { SessionCounter } from './opentelemetry/measurements.ts'

/** Options of {@link instrumentSessions}. */
export interface SessionTelemetryOptions {
  /** Makes the spans. Defaults to the global provider; `null` records no spans. */
  readonly tracerProvider?: TracerProvider | null
  /** Makes the metrics. Defaults to the global provider; `null` records no metrics. */
  readonly meterProvider?: MeterProvider | null
  /**
   * Sessions to count each time the metrics are exported, which scans the table of sessions. Have one
   * process do that. By default none are counted.
   */
  readonly counted?: SessionCounter
}

/** Telemetry that is being recorded. */
export interface SessionTelemetry extends Disposable {
  /** Records nothing from now on. Harmless to repeat. */
  stop(): void
}

const TABLE: OptionTable<SessionTelemetryOptions> = {
  tracerProvider: objectWith<TracerProvider | null>('getTracer', 'a TracerProvider, or null'),
  meterProvider: objectWith<MeterProvider | null>('getMeter', 'a MeterProvider, or null'),
  counted: objectWith<SessionCounter>('count', 'sessions, as createSessions returns them'),
}

/**
 * Records spans and metrics of all sessions in this process, until it is stopped.
 *
 * Each operation of a request (`load`, `save` and so on) has a span below the request's own. A statement that one
 * operation sends has a span below that; one that several requests share is a span of its own, with a link to
 * each operation. Nothing recorded is secret: no token, no value, no user id.
 *
 * It costs nothing until it is called, and reads `node:diagnostics_channel`: the channels
 * `pg-sessions.operation`, `pg-sessions.statement` and `pg-sessions.event` serve any other tool as well. Names
 * follow the semantic conventions for database clients, https://opentelemetry.io/docs/specs/semconv/db/.
 *
 * @throws {ConfigurationError} If an option is unknown or wrong.
 * @example
 * ```ts
 * import { instrumentSessions } from 'pg-sessions/opentelemetry'
 *
 * instrumentSessions() // after your OpenTelemetry SDK has started
 * ```
 */
export function instrumentSessions(options: SessionTelemetryOptions = {}): SessionTelemetry {
  const { tracerProvider, meterProvider, counted } = readOptions(
    'instrumentSessions',
    TABLE,
    options,
  )
  const ends: (() => void)[] = []
  if (tracerProvider !== null) {
    ends.push(recordSpans((tracerProvider ?? trace).getTracer(SCOPE)))
  }
  if (meterProvider !== null) {
    ends.push(recordMeasurements((meterProvider ?? metrics).getMeter(SCOPE), counted))
  }
  const stop = (): void => {
    for (const end of ends.splice(0)) end()
  }
  return { stop, [Symbol.dispose]: stop }
}

const SCOPE = 'pg-sessions'

/** Something that has this method; `null` where its type takes it. */
function objectWith<Value>(method: string, takes: string): Option<Value | undefined> {
  return option<Value | undefined, undefined>(takes, undefined, (value, name) => {
    const isEmpty = value === null && takes.endsWith('null')
    if (isEmpty || typeof Object(value)[method] === 'function') return value as Value
    return refuse(name, takes, value)
  })
}
