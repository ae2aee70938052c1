import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Channel,
  channel,
  type TracingChannel,
  tracingChannel,
} from 'node:diagnostics_channel'

/** A call of a store, as a request makes it: a load, a save. Nothing in it is secret. */
export interface OperationMessage {
  /** The method of the store, such as `load`. */
  readonly operation: string
  /** The name of the store, such as `postgres`. */
  readonly store: string
  /** Why it failed. Set before `error` and `asyncEnd` are published. */
  error?: unknown
}

/** One attempt to have a statement answered. Nothing in it is secret. */
export interface StatementMessage {
  /** The operation in PostgreSQL, such as `load` or `load_many`. */
  readonly statement: string
  /** Calls that share it. */
  readonly calls: number
  /** The operations that made these calls, as far as these were published. */
  readonly operations: readonly OperationMessage[]
  /** Counts from 1; a higher one is a retry. */
  readonly attempt: number
  /** Why it failed. Set before `error` and `asyncEnd` are published. */
  error?: unknown
}

/** An event of `sessions.on`, with its name. */
export interface EventMessage {
  readonly name: string
  readonly event: object
}

/** Channels of `node:diagnostics_channel`. `tracing:pg-sessions.operation:start` is one of their names. */
export const operationChannel: TracingChannel<unknown, OperationMessage> =
  tracingChannel('pg-sessions.operation')
export const statementChannel: TracingChannel<unknown, StatementMessage> =
  tracingChannel('pg-sessions.statement')
/** Publishes an {@link EventMessage} for each event of `sessions.on`. */
export const eventChannel: Channel = channel('pg-sessions.event')

const currentOperation = new AsyncLocalStorage<OperationMessage>()

/** The operation that this code runs for; undefined while no subscriber asks for operations. */
export function operationUnderWay(): OperationMessage | undefined {
  return currentOperation.getStore()
}

/** Publishes the start and the end of a call of a store. */
export function traceOperation<Answer>(
  operation: string,
  store: string,
  call: () => Promise<Answer>,
): Promise<Answer> {
  if (!isSubscribed(operationChannel)) return call()
  const message: OperationMessage = { operation, store }
  return currentOperation.run(message, () => publish(operationChannel, message, call))
}

/** Publishes the start and the end of an attempt to have a statement answered. */
export function traceStatement<Answer>(
  statement: string,
  attempt: number,
  operations: readonly (OperationMessage | undefined)[] | null,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  if (!isSubscribed(statementChannel)) return ask()
  const callers = operations ?? [operationUnderWay()]
  const message: StatementMessage = {
    statement,
    calls: callers.length,
    operations: callers.filter((caller) => caller !== undefined),
    attempt,
  }
  return publish(statementChannel, message, ask)
}

function isSubscribed<Message extends object>({
  start,
  asyncEnd,
  error,
}: TracingChannel<unknown, Message>): boolean {
  return start.hasSubscribers || asyncEnd.hasSubscribers || error.hasSubscribers
}

/**
 * The protocol of Node's `tracePromise`, without the answer: it holds what is stored in a session.
 */
function publish<Message extends { error?: unknown }, Answer>(
  { start, end, asyncStart, asyncEnd, error }: TracingChannel<unknown, Message>,
  message: Message,
  call: () => Promise<Answer>,
): Promise<Answer> {
  return start.runStores(message, () => {
    const settled = (): void => {
      asyncStart.publish(message)
      asyncEnd.publish(message)
    }
    const answer = call().then(
      (value) => {
        settled()
        return value
      },
      (reason: unknown) => {
        message.error = reason
        error.publish(message)
        settled()
        throw reason
      },
    )
    end.publish(message)
    return answer
  })
}
