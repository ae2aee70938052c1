import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../run-command.ts'

/** A link to a page, file or anchor, and the address of a picture. */
const LINK = /<(?:a\b[^>]*? href|img\b[^>]*? src)="([^"]+)"/g

/** A link to a file of the repository that is not a page of the site. */
const IN_REPOSITORY = /^https:\/\/github\.com\/pg-sessions\/pg-sessions\/blob\/main\/([^#?]*)/

/** Finds links and pictures of built pages whose page, file or anchor is not in the site, nor in the repository. */
export async function brokenLinks(dist: string, base: string): Promise<string[]> {
  const files = (await readdir(dist, { recursive: true })).filter((file) => file.endsWith('.html'))
  const pages = new Map<string, string>()
  for (const file of files) pages.set(file, await readFile(join(dist, file), 'utf8'))
  const anchors = new Map([...pages].map(([file, text]) => [file, anchorsOf(text)]))
  const broken: string[] = []
  for (const [file, text] of pages) {
    for (const [, link = ''] of text.matchAll(LINK)) {
      const [, inRepository] = IN_REPOSITORY.exec(link) ?? []
      if (inRepository !== undefined && !existsSync(join(root, inRepository))) {
        broken.push(`${file}: ${link}`)
      }
      if (/^[a-z]+:/i.test(link)) continue
      const { pathname, hash } = new URL(link.replaceAll('&amp;', '&'), `http://site${base}${file}`)
      const target = fileOf(dist, pathname.slice(base.length))
      const anchor = decodeURIComponent(hash.slice(1))
      const isThere =
        pathname.startsWith(base) &&
        target !== null &&
        (anchor === '' || anchors.get(target)?.has(anchor) === true)
      if (!isThere) broken.push(`${file}: ${link}`)
    }
  }
  return [...new Set(broken)]
}

/** The file that a web server gives for a path without an ending; null if there is none. */
function fileOf(dist: string, path: string): string | null {
  const decoded = decodeURIComponent(path)
  const names = [
    decoded,
    `${decoded}.html`,
    `${decoded.replace(/\/$/, '')}/index.html`,
    decoded === '' ? 'index.html' : '',
  ]
  const found = names
    .map((name) => name.replace(/^\//, ''))
    .find((name) => name !== '' && /\.\w+$/.test(name) && existsSync(join(dist, name)))
  return found ?? null
}

function anchorsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/\bid="([^"]+)"/g)].map(([, id = '']) => id))
}
