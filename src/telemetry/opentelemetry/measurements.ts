import type { Attributes, Meter } from '@opentelemetry/api'
import { realTime } from '../../real-time.ts'
import { type EventMessage, eventChannel, operationChannel, statementChannel } from '../channels.ts'
import { errorType, type Phases, subscribe } from './subscribe.ts'

/** Something that counts sessions: what `createSessions` returns. */
export interface SessionCounter {
  count(): Promise<{ readonly live: number; readonly expired: number }>
}

/** Seconds, as the semantic conventions advise for durations of database calls. */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128]

/**
 * Records the metrics of operations, statements and events.
 *
 * @returns The function that ends it.
 */
export function recordMeasurements(meter: Meter, counter: SessionCounter | undefined): () => void {
  const operationSeconds = meter.createHistogram('pg_sessions.operation.duration', {
    description: 'Time that a request waited for an operation on its session',
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })
  const statementSeconds = meter.createHistogram('db.client.operation.duration', {
    description: 'Time until PostgreSQL answered a statement, connecting included',
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })
  const calls = meter.createHistogram('pg_sessions.statement.calls', {
    description: 'Operations that shared one statement',
    unit: '{operation}',
    advice: { explicitBucketBoundaries: SIZES },
  })
  const underWay = meter.createUpDownCounter('pg_sessions.operation.active', {
    description: 'Operations in flight or waiting for a statement',
    unit: '{operation}',
  })
  const events = meter.createCounter('pg_sessions.events', {
    description: 'Events of sessions.on: sign-ins, renewals, reuse of old tokens, ends, refusals',
    unit: '{event}',
  })
  const purged = meter.createCounter('pg_sessions.purged', {
    description: 'Expired sessions that were deleted',
    unit: '{session}',
  })

  const ends = [
    subscribe(
      operationChannel,
      timed(
        ({ operation, store }) => ({
          'pg_sessions.operation': operation,
          'pg_sessions.store': store,
        }),
        (seconds, attributes) => {
          operationSeconds.record(seconds, attributes)
          underWay.add(-1)
        },
        () => underWay.add(1),
      ),
    ),
    subscribe(
      statementChannel,
      timed(
        ({ statement }) => ({
          'db.system.name': 'postgresql',
          'db.operation.name': statement,
        }),
        (seconds, attributes, message) => {
          statementSeconds.record(seconds, attributes)
          calls.record(message.calls, { 'db.operation.name': message.statement })
        },
      ),
    ),
    onEvents(({ name, event }) => {
      events.add(1, { 'pg_sessions.event': name })
      if ('removed' in event && typeof event.removed === 'number') purged.add(event.removed)
    }),
    ...(counter === undefined ? [] : [observeCounts(meter, counter)]),
  ]
  return () => {
    for (const end of ends) end()
  }
}

/** Measures from the start of a message's work to its end. */
function timed<Message extends { error?: unknown }>(
  attributesOf: (message: Message) => Attributes,
  record: (seconds: number, attributes: Attributes, message: Message) => void,
  begin: () => void = () => {},
): Phases<Message> {
  const starts = new WeakMap<object, number>()
  return {
    started(message) {
      starts.set(message, realTime.now())
      begin()
    },
    ended(message) {
      const start = starts.get(message)
      if (start === undefined) return
      const failure = message.error === undefined ? {} : { 'error.type': errorType(message.error) }
      const seconds = (realTime.now() - start) / 1000
      record(seconds, { ...attributesOf(message), ...failure }, message)
    },
  }
}

function onEvents(listener: (message: EventMessage) => void): () => void {
  const onMessage = (message: unknown): void => listener(message as EventMessage)
  eventChannel.subscribe(onMessage)
  return () => eventChannel.unsubscribe(onMessage)
}

/** Counts when the metrics are read. It scans the table of sessions each time. */
function observeCounts(meter: Meter, counter: SessionCounter): () => void {
  const stored = meter.createObservableGauge('pg_sessions.stored', {
    description: 'Sessions in the database, by whether they live or have expired',
    unit: '{session}',
  })
  const observe = async (result: {
    observe(value: number, attributes: Attributes): void
  }): Promise<void> => {
    const { live, expired } = await counter.count()
    result.observe(live, { 'pg_sessions.state': 'live' })
    result.observe(expired, { 'pg_sessions.state': 'expired' })
  }
  stored.addCallback(observe)
  return () => stored.removeCallback(observe)
}
