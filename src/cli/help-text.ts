import { styleText } from 'node:util'
import type { Command } from './command.ts'
import type { OptionDefinition } from './option-table.ts'

/** Who prints help, and whether the terminal shows bold text. */
interface HelpStyle {
  readonly program: string
  readonly isPlain: boolean
}

/** Help for the program: its commands with a line each. */
export function programHelp(
  commands: ReadonlyMap<string, Command>,
  { program, isPlain }: HelpStyle,
): string {
  const rows = [...commands].map(([name, { summary }]) => [name, summary] as const)
  return page([
    ['', ['Manages sessions in PostgreSQL.']],
    [heading('Usage', isPlain), [`${program} <command> [options]`]],
    [heading('Commands', isPlain), columns(rows)],
    [
      '',
      [
        `Run \`${program} <command> --help\` for the options of a command, \`${program} --version\` for the version.`,
      ],
    ],
    [heading('Exit status', isPlain), ['0 done, 1 failed, 2 wrong usage']],
  ])
}

/** Help for one command: its argument and its options. */
export function commandHelp(
  name: string,
  { summary, args }: Command,
  { program, isPlain }: HelpStyle,
): string {
  const all = Object.entries(args)
  const positionals = all.filter(([, { type }]) => type === 'positional')
  const options = all.filter(([, { type }]) => type !== 'positional')
  const words = positionals.map(([each]) => ` [${each}]`).join('')
  return page([
    ['', [`${summary}.`]],
    [heading('Usage', isPlain), [`${program} ${name}${words} [options]`]],
    [heading('Arguments', isPlain), columns(positionals.map(row))],
    [heading('Options', isPlain), columns([...options.map(row), ['--help', 'Print this help']])],
  ])
}

function row([name, { type, description, valueHint }]: [string, OptionDefinition]): [
  string,
  string,
] {
  if (type === 'positional') return [name, description]
  return [type === 'boolean' ? `--${name}` : `--${name}=<${valueHint ?? 'value'}>`, description]
}

function heading(text: string, isPlain: boolean): string {
  return isPlain ? text : styleText('bold', text)
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}

function page(sections: readonly (readonly [string, readonly string[]])[]): string {
  const texts = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => (title === '' ? lines : [`${title}:`, ...lines]).join('\n'))
  return `${texts.join('\n\n')}\n`
}
