import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

async function scriptFor(shell: string): Promise<string> {
  const { stdout, status } = await runCli(['completion', shell])
  expect(status).toBe(0)
  return stdout
}

const folders: string[] = []

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
})

async function fileOf(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-sessions-'))
  folders.push(folder)
  await writeFile(join(folder, 'script'), script)
  return join(folder, 'script')
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0
}

describe('pg-sessions completion', () => {
  test('bash completes commands, their options and what an argument may be', async () => {
    const script = await scriptFor('bash')
    const complete = (...words: string[]): string[] => {
      const line = `COMP_WORDS=(pg-sessions ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}`
      const print = `_pg_sessions; printf "%s\\n" "\${COMPREPLY[@]}"`
      const options = { input: `${script}\n${line}\n${print}\n`, encoding: 'utf8' } as const
      return execFileSync('bash', ['-u'], options).split('\n').filter(Boolean)
    }
    expect(complete('pu')).toEqual(['purge'])
    expect(complete('purge', '--ba')).toEqual(['--batch-size='])
    expect(complete('list', '--js')).toEqual(['--json'])
    expect(complete('sql', '--batch')).toEqual([])
    expect(complete('completion', 'f')).toEqual(['fish'])
    expect(complete('list', '--user', '=', '')).toEqual([])
  })

  test.each(['zsh', 'fish'])('%s reads its script, where it is installed', async (shell) => {
    const script = await scriptFor(shell)
    expect(script).toContain('purge')
    expect(script).toContain('batch-size')
    if (!isInstalled(shell)) return
    const { status, stderr } = spawnSync(shell, ['-n', await fileOf(script)], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  test('fish completes, where it is installed', async () => {
    if (!isInstalled('fish')) return
    const script = await scriptFor('fish')
    const lines = ['pg-sessions pur', 'pg-sessions purge --batch'].map(
      (line) => `complete -C '${line}'`,
    )
    const file = await fileOf([script, ...lines].join('\n'))
    const found = execFileSync('fish', ['--no-config', file], { encoding: 'utf8' })
    expect(found).toMatch(/^purge\t/m)
    expect(found).toMatch(/^--batch-size/m)
  })

  test('without a shell, or with another one, it says what to write', async () => {
    for (const args of [['completion'], ['completion', 'tcsh']]) {
      const { status, stderr } = await runCli(args)
      expect(status).toBe(2)
      expect(stderr).toContain('pg-sessions completion bash')
    }
  })
})
