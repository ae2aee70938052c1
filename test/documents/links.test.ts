import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { documents, readDocument, root } from './code-blocks.ts'

/** A page without its fenced blocks, in which brackets are no links and hashes no headings. */
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

test.each(documents())(
  'every link in %s to a page or file of the repository leads somewhere',
  (file) => {
    const targets = [...prose(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    const broken = targets.filter((target) => {
      if (/^https?:/.test(target)) return false
      const [path = '', anchor] = target.split('#')
      const page = path === '' ? file : normalize(join(dirname(file), path))
      if (!existsSync(join(root, page))) return true
      return anchor !== undefined && !anchors(page).includes(anchor)
    })
    expect(broken).toEqual([])
  },
)
