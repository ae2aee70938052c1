import { ConfigurationError } from '../../errors.ts'
import type { Command } from '../command.ts'
import { completionScript, SHELLS } from '../completion-script.ts'

/** The command that writes the completion of all commands, itself among them. */
export function completionCommand(
  program: string,
  commands: () => ReadonlyMap<string, Command>,
): Command {
  return {
    summary: 'Print a script that makes your shell complete commands and options',
    args: {
      shell: { type: 'positional', description: SHELLS.join(', '), choices: SHELLS },
    },
    async run(input) {
      const given = input.text('shell')
      const shell = SHELLS.find((each) => each === given)
      if (shell === undefined) {
        throw new ConfigurationError(
          `Name your shell: ${SHELLS.map((each) => `${program} completion ${each}`).join(', ')}.`,
        )
      }
      const script = completionScript(shell, program, commands())
      return { document: { shell, script }, lines: script.trimEnd().split('\n') }
    },
  }
}
