import { diagnose } from '../../postgres/doctor/diagnose.ts'
import type { Finding } from '../../postgres/doctor/finding.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../connect.ts'
import { findPooler, poolerFindings } from '../find-pooler.ts'
import { databaseOptions } from '../option-table.ts'
import { countOf, printable } from '../plain-text.ts'

export const doctor: Command = {
  summary: 'Check server, tables and settings for problems, and say how to fix each',
  args: databaseOptions,
  async run(input) {
    const { names, timeout } = input
    const findings = await withDatabase(input, async (driver, pool) => [
      ...(await diagnose(driver, names, { timeout })),
      ...poolerFindings(await findPooler(pool, timeout)),
    ])
    const isWell = findings.every(({ severity }) => severity === 'note')
    return { document: { findings }, lines: linesOf(findings), status: isWell ? 0 : 1 }
  },
}

function linesOf(findings: readonly Finding[]): readonly string[] {
  if (findings.length === 0) return ['All is well.']
  return [
    ...findings.flatMap(({ severity, code, what, effect, remedy }) => [
      `${severity.padEnd(9)}${printable(what)}`,
      `${' '.repeat(9)}${printable(effect)}`,
      `${' '.repeat(9)}→ ${printable(remedy)}`,
      `${' '.repeat(9)}(${code})`,
      '',
    ]),
    `${countOf(findings.length, 'finding')}.`,
  ]
}
