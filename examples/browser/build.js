// Bundles the page into dist/, which any web server can serve. PGlite comes along as its own files.
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const folder = import.meta.dirname
const dist = join(folder, 'dist')
const pglite = dirname(fileURLToPath(import.meta.resolve('@electric-sql/pglite')))

await rm(dist, { recursive: true, force: true })
await build({
  absWorkingDir: folder,
  entryPoints: ['main.ts'],
  inject: ['node/globals.ts'],
  alias: {
    'node:async_hooks': './node/async-hooks.ts',
    'node:crypto': './node/crypto.ts',
    'node:diagnostics_channel': './node/diagnostics-channel.ts',
  },
  define: { 'process.env.NODE_ENV': '"production"' },
  external: ['@electric-sql/pglite'],
  bundle: true,
  format: 'esm',
  target: 'es2023',
  minify: true,
  outdir: 'dist',
})
await mkdir(join(dist, 'pglite'))
for (const file of await readdir(pglite)) {
  if (!/^(index|chunk-\w+)\.js$|\.(wasm|data)$/.test(file)) continue
  await cp(join(pglite, file), join(dist, 'pglite', file))
}
for (const file of ['index.html', 'style.css']) await cp(join(folder, file), join(dist, file))
