/** `node:diagnostics_channel` for a page without telemetry: channels that have no subscriber. */
const silent = {
  hasSubscribers: false,
  publish(): void {},
  subscribe(): void {},
  unsubscribe(): void {},
  runStores<Result>(_message: unknown, work: () => Result): Result {
    return work()
  },
}

export function channel(): typeof silent {
  return silent
}

export function tracingChannel(): Readonly<Record<string, typeof silent>> {
  return { start: silent, end: silent, asyncStart: silent, asyncEnd: silent, error: silent }
}
