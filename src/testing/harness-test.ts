/** Gives a function that declares tests, each with a harness of its own that does not outlive it. */
export function harnessTest<Harness extends { dispose(): Promise<void> }>(
  runner: { it(sentence: string, body: () => Promise<void>): unknown },
  open: () => Promise<Harness>,
): (sentence: string, body: (harness: Harness) => Promise<void>) => void {
  return (sentence, body) => {
    runner.it(sentence, async () => {
      const harness = await open()
      try {
        await body(harness)
      } finally {
        await harness.dispose()
      }
    })
  }
}
