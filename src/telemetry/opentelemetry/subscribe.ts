import type { TracingChannel } from 'node:diagnostics_channel'

/** What to do when a message's work begins and when it has ended, well or not. */
export interface Phases<Message extends object> {
  started(message: Message): void
  ended(message: Message): void
}

/** Subscribes to a channel, and returns the function that ends it. */
export function subscribe<Message extends object>(
  { start, asyncEnd }: TracingChannel<unknown, Message>,
  { started, ended }: Phases<Message>,
): () => void {
  const onStart = (message: unknown): void => started(message as Message)
  const onEnd = (message: unknown): void => ended(message as Message)
  start.subscribe(onStart)
  asyncEnd.subscribe(onEnd)
  return () => {
    start.unsubscribe(onStart)
    asyncEnd.unsubscribe(onEnd)
  }
}

/** The `error.type` of a failure: its code, as an error of this package has one, or its class. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return '_OTHER'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
