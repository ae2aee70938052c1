import type { Command } from './command.ts'
import type { OptionDefinition } from './option-table.ts'

/** The shells whose completion can be written. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

type Commands = ReadonlyMap<string, Command>

/** Writes the script by which a shell completes commands and options, from their tables. */
export function completionScript(shell: Shell, program: string, commands: Commands): string {
  return WRITERS[shell](program, commands)
}

const WRITERS: { readonly [Name in Shell]: (program: string, commands: Commands) => string } = {
  bash(program, commands) {
    const cases = [...commands].map(
      ([name, command]) => `    ${name}) words="${wordsOf(command).join(' ')}" ;;`,
    )
    return `# Load it with: source <(${program} completion bash)
_pg_sessions() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  COMPREPLY=()
  # The value of an option is the reader's own.
  if [ "$current" = "=" ] || [ "$previous" = "=" ]; then return; fi
  if [ "$COMP_CWORD" -eq 1 ]; then words="${[...commands.keys()].join(' ')} --help --version"
  else case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ "\${#COMPREPLY[@]}" -eq 1 ] && [ "\${COMPREPLY[0]: -1}" = "=" ]; then compopt -o nospace 2>/dev/null; fi
}
complete -F _pg_sessions ${program}
`
  },

  zsh(program, commands) {
    const names = [...commands].map(
      ([name, { summary }]) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`,
    )
    const cases = [...commands].map(
      ([name, command]) => `    ${name}) _arguments ${zshArguments(command).join(' ')} ;;`,
    )
    return `#compdef ${program}
# Load it with: source <(${program} completion zsh)
_pg_sessions() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case \${words[1]} in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _pg_sessions ]; then _pg_sessions "$@"; else compdef _pg_sessions ${program}; fi
`
  },

  fish(program, commands) {
    const lines = [...commands].flatMap(([name, command]) => [
      `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${fishQuoted(command.summary)}`,
      ...optionsOf(command).map(
        ([option, { type, description }]) =>
          `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -l ${option}${type === 'string' ? ' -r' : ''} -d ${fishQuoted(description)}`,
      ),
      ...choicesOf(command).map(
        (choice) => `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -a ${choice}`,
      ),
    ])
    return `# Load it with: ${program} completion fish | source
complete -c ${program} -f
${lines.join('\n')}
`
  },
}

/** Options with `=` take a value. */
function wordsOf(command: Command): string[] {
  const options = optionsOf(command).map(([name, { type }]) =>
    type === 'string' ? `--${name}=` : `--${name}`,
  )
  return [...options, ...choicesOf(command)]
}

function optionsOf({ args }: Command): [string, OptionDefinition][] {
  const help: OptionDefinition = { type: 'boolean', description: 'Print help' }
  return Object.entries({ ...args, help }).filter(([, { type }]) => type !== 'positional')
}

/** What an argument may be, where that is a few words. */
function choicesOf({ args }: Command): readonly string[] {
  return Object.values(args).flatMap(({ choices = [] }) => choices)
}

function zshArguments(command: Command): string[] {
  const choices = choicesOf(command)
  const first = choices.length === 0 ? [] : [quoted(`1:which:(${choices.join(' ')})`)]
  return [...optionsOf(command).map(zshOption), ...first]
}

function zshOption([name, { type, description, valueHint }]: [string, OptionDefinition]): string {
  const text = description.replaceAll(/[[\]:\\]/g, '\\$&')
  const value = type === 'string' ? `:${valueHint ?? 'value'}:` : ''
  return quoted(`--${name}${type === 'string' ? '=' : ''}[${text}]${value}`)
}

/** In single quotes, as bash and zsh read them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** In single quotes, as fish reads them. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
