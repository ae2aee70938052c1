const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Lets Ctrl+C end long work after the batch under way; a second one ends the process. */
export async function stoppable<Result>(
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stopping = new AbortController()
  const stop = (): void => stopping.abort()
  for (const signal of SIGNALS) process.once(signal, stop)
  try {
    return await run(stopping.signal)
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, stop)
  }
}
