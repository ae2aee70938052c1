import {
  type Attributes,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import {
  type OperationMessage,
  operationChannel,
  type StatementMessage,
  statementChannel,
} from '../channels.ts'
import { errorType, subscribe } from './subscribe.ts'

/**
 * Makes a span of each operation, below the span of its request, and one of each statement: below its
 * operation when that is the only one, else a root span with a link to each operation that shares it.
 *
 * @returns The function that ends it.
 */
export function recordSpans(tracer: Tracer): () => void {
  const spans = new WeakMap<object, Span>()

  const end = (message: { readonly error?: unknown }): void => {
    const span = spans.get(message)
    if (span === undefined) return
    if (message.error !== undefined) markFailed(span, message.error)
    span.end()
  }

  const operations = subscribe<OperationMessage>(operationChannel, {
    started(message) {
      const { operation, store } = message
      const attributes = { 'pg_sessions.operation': operation, 'pg_sessions.store': store }
      const span = tracer.startSpan(`pg-sessions ${operation}`, {
        kind: SpanKind.INTERNAL,
        attributes,
      })
      spans.set(message, span)
    },
    ended: end,
  })

  const statements = subscribe<StatementMessage>(statementChannel, {
    started(message) {
      const callers = message.operations.flatMap((operation) => spans.get(operation) ?? [])
      const [only] = callers
      const isShared = message.calls > 1
      const parent =
        only === undefined || isShared ? contextOf(isShared) : trace.setSpan(context.active(), only)
      const links: Link[] = isShared ? callers.map((span) => ({ context: span.spanContext() })) : []
      const span = tracer.startSpan(
        message.statement,
        { kind: SpanKind.CLIENT, attributes: attributesOf(message), links },
        parent,
      )
      spans.set(message, span)
    },
    ended: end,
  })

  return () => {
    operations()
    statements()
  }
}

/** A shared statement belongs to no request, although one of them may be active. */
function contextOf(isShared: boolean): ReturnType<typeof context.active> {
  return isShared ? ROOT_CONTEXT : context.active()
}

/** By the semantic conventions for database client spans, https://opentelemetry.io/docs/specs/semconv/db/database-spans/ */
function attributesOf({ statement, calls, attempt }: StatementMessage): Attributes {
  return {
    'db.system.name': 'postgresql',
    'db.operation.name': statement,
    'db.query.summary': statement,
    ...(calls > 1 ? { 'db.operation.batch.size': calls } : {}),
    ...(attempt > 1 ? { 'pg_sessions.attempt': attempt } : {}),
  }
}

function markFailed(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorType(error))
  span.setStatus({
    code: SpanStatusCode.ERROR,
    ...(error instanceof Error ? { message: error.message } : {}),
  })
}
