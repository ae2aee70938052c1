import { join } from 'node:path'
import { build as buildWithEsbuild, type Metafile } from 'esbuild'
import { build as buildWithVite, type Rolldown } from 'vite'

/** An application in one file. */
interface Bundle {
  readonly file: string
  /** The modules of the package that left code in the file: `adapters/express`, and its bytes there. */
  readonly carried: ReadonlyMap<string, number>
}

/** What is bundled, and where to. */
interface BundleRequest {
  readonly entry: string
  readonly into: string
  readonly minify?: boolean
  /** What stays outside. Defaults to the native client that `pg` tries to load. */
  readonly external?: readonly string[]
}

/** Makes a bundle, as an application would. */
export type Bundler = (request: BundleRequest) => Promise<Bundle>

const OPTIONAL = ['pg-native']

/** Bundles by esbuild, as CommonJS: Express looks up modules of Node by `require`. */
export const esbuild: Bundler = async ({ entry, into, minify = false, external = OPTIONAL }) => {
  const file = join(into, 'application.cjs')
  const { metafile } = await buildWithEsbuild({
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify,
    external: [...external],
    metafile: true,
    logLevel: 'silent',
  })
  const [output] = Object.values(metafile.outputs) as [Metafile['outputs'][string]]
  const modules = Object.entries(output.inputs)
  return {
    file,
    carried: carriedOf(modules.map(([path, { bytesInOutput }]) => [path, bytesInOutput])),
  }
}

/** Bundles by Vite, and so by rolldown, for a server and with every dependency inside. */
export const vite: Bundler = async ({ entry, into, minify = false, external = OPTIONAL }) => {
  const built = (await buildWithVite({
    configFile: false,
    root: join(entry, '..'),
    logLevel: 'silent',
    ssr: { noExternal: true, external: [...external] },
    build: {
      ssr: entry,
      outDir: into,
      minify,
      rolldownOptions: { external: [...external], output: { entryFileNames: 'application.mjs' } },
    },
  })) as Rolldown.RolldownOutput
  const [chunk] = built.output
  const modules = Object.entries(chunk.modules)
  return {
    file: join(into, chunk.fileName),
    carried: carriedOf(modules.map(([path, { renderedLength }]) => [path, renderedLength])),
  }
}

function carriedOf(modules: readonly (readonly [string, number])[]): Map<string, number> {
  const carried = new Map<string, number>()
  for (const [path, bytes] of modules) {
    const name = /\/node_modules\/pg-sessions\/dist\/(.+)\.js$/.exec(path)?.[1]
    if (name !== undefined && bytes > 0) carried.set(name, bytes)
  }
  return carried
}
