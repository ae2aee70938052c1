import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { documents, readDocument, root } from './code-blocks.ts'

/** README is also shown on npmjs.com, away from the repository, so its links name the repository. */
const REPOSITORY =
  /^https:\/\/(github\.com\/pg-sessions\/pg-sessions\/blob|raw\.githubusercontent\.com\/pg-sessions\/pg-sessions)\/main\//

/** A page without its fenced blocks, in which brackets are not links and hashes no headings. */
function prose(file: string): string {
  return readDocument(file).replaceAll(/^[ \t]*```[\s\S]*?^[ \t]*```/gm, '')
}

/** The anchors that GitHub gives to a page's headings. */
function anchors(file: string): string[] {
  return [...prose(file).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Pages that hold no code to check. */
const OTHERS = [
  'llms.txt',
  'bench/README.md',
  'bench/what-was-tried.md',
  'examples/README.md',
  'starters/README.md',
]

test.each([...documents(), ...OTHERS])(
  'every link in %s to a page or file of the repository leads somewhere',
  (file) => {
    const targets = [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const broken = targets.filter((target) => {
      const inRepository = REPOSITORY.test(target) ? `/${target.replace(REPOSITORY, '')}` : target
      if (/^https?:/.test(inRepository)) return false
      const [path = '', anchor] = inRepository.split('#')
      const folder = path.startsWith('/') ? '.' : dirname(file)
      const page = path === '' ? file : normalize(join(folder, path))
      if (!existsSync(join(root, page))) return true
      return anchor !== undefined && !anchors(page).includes(anchor)
    })
    expect(broken).toEqual([])
  },
)

test('README links to the repository by whole addresses, for readers on npmjs.com', () => {
  const relative = [...prose('README.md').matchAll(/\]\(((?!https:|#)[^)\s]+)\)/g)]
  expect(relative.map(([, target]) => target)).toEqual([])
})
