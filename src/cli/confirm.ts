import { createInterface } from 'node:readline/promises'
import { ConfigurationError } from '../errors.ts'

/**
 * Asks a person before something that cannot be undone. A script says `--yes` instead.
 *
 * @param question - Ends with what happens: `End 1200 live sessions`.
 * @returns Whether the answer was yes.
 * @throws {ConfigurationError} No person is there to answer.
 */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new ConfigurationError(
      'This cannot be undone, and there is no terminal to ask on. Add --yes to do it.',
    )
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question}? [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
