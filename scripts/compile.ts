import { join } from 'node:path'
import { type CommandResult, root, runCommand } from './run-command.ts'

/**
 * TypeScript's compilers. The native one needs a quarter of the time of the one in JavaScript, which stays
 * for tools that read its API, and for the declarations that its users compile.
 */
export type Compiler = 'typescript' | 'typescript-native'

/** Runs a compiler with arguments of `tsc`, a name that both compilers have as their program. */
export function compile(
  args: readonly string[],
  compiler: Compiler = 'typescript-native',
): Promise<CommandResult> {
  const program = join(root, 'node_modules', compiler, 'bin', 'tsc')
  return runCommand(process.execPath, [program, ...args])
}
