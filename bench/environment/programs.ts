import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '..')

const PROGRAMS = {
  'store-client': 'store-level/client-program.ts',
} as const

export type ProgramName = keyof typeof PROGRAMS

export interface Programs {
  /** The file to start. */
  file(name: ProgramName): string
  remove(): Promise<void>
}

/**
 * Bundles the measured programs, with the package as it is at this moment, into plain JavaScript: what
 * runs is what a user runs, and sources that change during a run do not get into it.
 */
export async function buildPrograms(): Promise<Programs> {
  const folder = join(ROOT, '.build', String(process.pid))
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(PROGRAMS).map(([out, file]) => ({ in: file, out })),
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    tsconfig: join(ROOT, 'tsconfig.json'),
    outExtension: { '.js': '.mjs' },
    sourcemap: true,
    logLevel: 'warning',
  })
  return {
    file: (name) => join(folder, `${name}.mjs`),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
