import type { TestRunner } from 'pg-sessions/testing'

interface Test {
  readonly name: string
  readonly body: () => Promise<void>
}

/** A test runner in a few lines, the same on every runtime. */
export function createRunner(): TestRunner & {
  run(): Promise<{ passed: number; failed: number }>
} {
  const tests: Test[] = []
  let group: readonly string[] = []
  return {
    describe(name, body) {
      const outer = group
      group = [...outer, name]
      body()
      group = outer
    },
    it(name, body) {
      tests.push({ name: [...group, name].join(' > '), body })
    },
    async run() {
      let passed = 0
      for (const { name, body } of tests) {
        try {
          await within(60_000, body())
          passed++
        } catch (error) {
          console.log(`FAIL ${name}\n${error instanceof Error ? error.stack : String(error)}`)
        }
      }
      return { passed, failed: tests.length - passed }
    },
  }
}

function within(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new RangeError('took longer than a minute')), milliseconds)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
