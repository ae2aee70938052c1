import { rm } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { build, type Plugin } from 'esbuild'

const ROOT = join(import.meta.dirname, '..')

const PROGRAMS = {
  'store-client': 'store-level/client-program.ts',
  server: 'http-level/server-program.ts',
  load: 'http-level/load-program.ts',
  upkeep: 'upkeep/upkeep-program.ts',
  waiting: 'upkeep/waiting-program.ts',
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
    plugins: [peersStayOutside],
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

/**
 * What the benchmark itself imports is left to Node, from its own `node_modules`; what the package
 * imports goes into the bundle, from the package's. The two may have different versions of one thing.
 */
const peersStayOutside: Plugin = {
  name: 'peers-stay-outside',
  setup({ onResolve }) {
    onResolve({ filter: /^[@a-z]/ }, ({ path, importer }) => {
      const isOurs = path === 'pg-sessions' || path.startsWith('pg-sessions/')
      return importer.startsWith(`${ROOT}${sep}`) && !isOurs ? { path, external: true } : undefined
    })
  },
}
