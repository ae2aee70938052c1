import { dirname } from 'node:path'
import { installRuntime } from './runtimes.ts'

/** What runs JavaScript: this Node, or one that npm provides. */
export interface Runtime {
  /** Like `Node 24`. */
  readonly name: string
  /** Folders of its programs, before those of this Node. */
  readonly path: readonly string[]
  /** The command that runs files of tests, which import `node:test`. */
  readonly test: readonly [command: string, ...options: string[]]
  /** The package script that starts an application. */
  readonly start: string
}

const nodeTest = [
  'node',
  '--import',
  'tsx',
  '--test',
  '--test-reporter=spec',
  '--test-concurrency=1',
  '--test-timeout=180000',
] as const

/**
 * The runtimes that a package's `engines` names, each at a version that it takes; installed on first use.
 */
export async function runtimesFor(engines: Readonly<Record<string, string>>): Promise<Runtime[]> {
  const runtimes: Runtime[] = []
  if (engines.node !== undefined) runtimes.push(await nodeFor(engines.node))
  if (engines.bun !== undefined) {
    const path = [dirname(await installRuntime('bun'))]
    runtimes.push({
      name: 'Bun',
      path,
      test: ['bun', 'test', '--timeout', '60000'],
      start: 'start:bun',
    })
  }
  return runtimes
}

async function nodeFor(range: string): Promise<Runtime> {
  const isEnough = compare(process.versions.node, lowest(range)) >= 0
  const name = isEnough ? `Node ${process.versions.node}` : 'Node 24'
  const path = isEnough ? [] : [dirname(await installRuntime('node-24'))]
  return { name, path, test: nodeTest, start: 'start' }
}

function lowest(range: string): string {
  return /\d+(\.\d+)*/.exec(range)?.[0] ?? '0'
}

function compare(version: string, other: string): number {
  const numbers = (text: string): number[] => text.split('.').map(Number)
  const [left, right] = [numbers(version), numbers(other)]
  for (let index = 0; index < 3; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
