import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { root, runCommand } from './run-command.ts'

/** What the rules about names and sizes found. */
export interface NameReport {
  readonly faults: readonly string[]
  /** Worth a look, but no fault. */
  readonly notes: readonly string[]
}

const longFile = 250
const tooLongFile = 400

/** File names that say nothing of what is inside, so that anything ends up there. */
const emptyName = /^(utils?|helpers?|types?|common|misc)\./

const fileOfText = /\.(ts|cjs|json|md|yml|yaml|sql|css|html|grit)$|^\.ci\//

/** A path that exists on one machine only. */
const machinePath = /(?<![\w.}/-])\/(work|root|home|Users|tmp)\/[\w.-]/

/** A line that silences a check instead of mending what it found. */
const silenced = /biome-ignore|@ts-ignore|@ts-nocheck|\b(TODO|FIXME)\b/

const reExportsOnly = /^(export (type )?(\*|\{[^}]*\}) from '[^']+'\s*)*$/

/** Checks all files that git knows or would add. */
export async function checkNames(): Promise<NameReport> {
  const faults: string[] = []
  const notes: string[] = []
  for (const file of await listFiles()) {
    if (emptyName.test(basename(file))) {
      faults.push(`${file}: name the file after what is in it`)
    }
    if (file === 'package-lock.json' || !fileOfText.test(file)) continue
    const text = await readFile(join(root, file), 'utf8').catch(() => null)
    if (text === null) continue // deleted, but not yet in git
    faults.push(...lineFaults(file, text))
    if (file.startsWith('src/')) {
      const lines = text.split('\n').length - 1
      if (lines > tooLongFile) faults.push(`${file}: ${lines} lines; the limit is ${tooLongFile}`)
      else if (lines > longFile) notes.push(`${file} has ${lines} lines`)
    }
    if (file === 'src/index.ts' && !reExportsOnly.test(withoutComments(text))) {
      faults.push(`${file}: holds more than re-exports`)
    }
  }
  return { faults, notes }
}

async function listFiles(): Promise<string[]> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { output } = await runCommand('git', args)
  return [...new Set(output.split('\0'))].filter((file) => file !== '')
}

function lineFaults(file: string, text: string): string[] {
  const faults: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const place = `${file}:${index + 1}`
    if (machinePath.test(line)) faults.push(`${place}: names a path of one machine`)
    if (/^(src|test|demo)\//.test(file) && silenced.test(line)) {
      faults.push(`${place}: silences a check or puts work off`)
    }
  }
  return faults
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').trim()
}
