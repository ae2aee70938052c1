import type { Driver } from '../../src/postgres/driver.ts'
import { operationOf } from './recording-driver.ts'

/** A statement that waits at the gate. */
interface HeldStatement {
  /** Resolves once it has come. */
  readonly reached: Promise<void>
  /** Lets it go on to the server. */
  release(): void
}

/** A statement that was sent, or waits at the gate. */
interface SentStatement {
  readonly operation: string
  /** Characters of all its parameters together. */
  readonly size: number
}

/** A real driver behind a gate at which statements can be held. */
export interface GatedDriver {
  readonly driver: Driver
  /** What was sent, in order, what waits at the gate included. */
  readonly sent: SentStatement[]
  /** The operations of `sent`. */
  operations(): string[]
  /** Holds the next statement of this operation. */
  hold(operation: string): HeldStatement
}

interface Hold {
  readonly operation: string
  come(): void
  readonly released: Promise<void>
}

export function gatedDriver(driver: Driver): GatedDriver {
  const sent: SentStatement[] = []
  const holds: Hold[] = []
  return {
    sent,
    operations: () => sent.map(({ operation }) => operation),
    hold(operation) {
      const [reached, come] = signal()
      const [released, release] = signal()
      holds.push({ operation, come, released })
      return { reached, release }
    },
    driver: {
      ...driver,
      query(statement, options) {
        const operation = operationOf(statement.name)
        const size = statement.values.reduce((sum, value) => sum + (value?.length ?? 0), 0)
        sent.push({ operation, size })
        const index = holds.findIndex((hold) => hold.operation === operation)
        const [hold] = index === -1 ? [] : holds.splice(index, 1)
        if (hold === undefined) return driver.query(statement, options)
        hold.come()
        return within(
          options.timeout,
          hold.released.then(() => driver.query(statement, options)),
        )
      },
    },
  }
}

function signal(): [Promise<void>, () => void] {
  let send = (): void => {}
  const sent = new Promise<void>((resolve) => {
    send = resolve
  })
  return [sent, () => send()]
}

/** Keeps to the timeout as every driver has to. */
async function within<Answer>(timeout: number, answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(Object.assign(new Error('late'), { code: 'ETIMEDOUT' }))
    }, timeout)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
