import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One entry of the sidebar. */
interface Entry {
  readonly text: string
  readonly link: string
}

/** A part of the sidebar. */
interface Section {
  readonly text: string
  readonly collapsed: boolean
  readonly items: readonly Entry[]
}

const pages: string = join(import.meta.dirname, 'pages')

/** The guides, in the order of README; `start` is README itself. */
const guides: readonly (readonly [title: string, names: readonly string[]])[] = [
  [
    'Start',
    [
      'start',
      'frameworks',
      'settings',
      'testing',
      'websockets',
      'passport-flash-csrf',
      'better-auth',
    ],
  ],
  ['Understand', ['guarantees', 'security', 'architecture', 'glossary', 'errors', 'performance']],
  ['Run', ['operations', 'scale', 'admin', 'telemetry', 'schema']],
  [
    'Move here',
    [
      'from-connect-pg-simple',
      'from-express-session',
      'from-connect-redis',
      'from-better-auth',
      'from-authjs',
      'from-lucia',
      'from-iron-session',
      'from-wai-session-postgresql',
    ],
  ],
]

/** Pages that `guides` does not name come last of the guides, so that no page is left out. */
function allSections(): Section[] {
  const named = new Set([...guides.flatMap(([, names]) => names), 'index'])
  const others = namesIn('.').filter((name) => !named.has(name))
  const all = others.length === 0 ? guides : [...guides, ['More', others] as const]
  return [
    ...all.map(([text, names]) => ({
      text,
      collapsed: false,
      items: names.map((name) => entry(name)),
    })),
    folder('Frameworks', 'frameworks'),
    folder('Recipes', 'recipes'),
    folder('API reference', 'api'),
    folder('Decisions', 'decisions'),
  ]
}

/** All pages of a folder, and of those below it, its overview first. */
function folder(text: string, name: string): Section {
  const files = readdirSync(join(pages, name), { recursive: true, encoding: 'utf8' })
  const names = files.filter((file) => file.endsWith('.md')).map((file) => file.slice(0, -3))
  const overview = names.includes('index') ? ['index'] : []
  const others = names.filter((each) => each !== 'index').sort()
  return {
    text,
    collapsed: true,
    items: [...overview, ...others].map((each) => entry(`${name}/${each}`)),
  }
}

function namesIn(name: string): string[] {
  const files = readdirSync(join(pages, name))
  return files.filter((file) => file.endsWith('.md')).map((file) => file.slice(0, -3))
}

function entry(name: string): Entry {
  return { text: titleOf(name), link: `/${name.replace(/(^|\/)index$/, '$1')}` }
}

/** The first heading of a page, without its marks. */
function titleOf(name: string): string {
  const [, heading = name] = /^# (.*)$/m.exec(readFileSync(join(pages, `${name}.md`), 'utf8')) ?? []
  return heading.replaceAll(/[`*\\]/g, '')
}

export const sections: Section[] = allSections()
