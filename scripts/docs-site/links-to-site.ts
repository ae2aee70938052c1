import { posix } from 'node:path'

const REPOSITORY = 'https://github.com/pg-sessions/pg-sessions/blob/main/'

/** README names pages and pictures by their whole addresses, for readers on npmjs.com. */
const WHOLE =
  /^https:\/\/(?:github\.com\/pg-sessions\/pg-sessions\/blob|raw\.githubusercontent\.com\/pg-sessions\/pg-sessions)\/main\/(.*)$/

/**
 * Makes the links of a page fit the site: to a page or picture of `docs/` by its name there, to any other file of
 * the repository by its address on GitHub. Fenced blocks stay as they are.
 *
 * @param file - The page's path in the repository.
 * @param name - Its path on the site.
 * @param names - The pages of the site by their paths below `docs/`.
 */
export function linksToSite(
  text: string,
  file: string,
  name: string,
  names: ReadonlyMap<string, string>,
): string {
  const link = (target: string): string => {
    const [, whole] = WHOLE.exec(target) ?? []
    if (whole === undefined && /^(?:[a-z]+:|#)/i.test(target)) return target
    const inRepository = whole ?? posix.normalize(posix.join(posix.dirname(file), target))
    const [path = '', anchor] = inRepository.split('#')
    const inDocs = path.replace(/^docs\//, '')
    const isPicture = path.startsWith('docs/') && /\.(png|svg)$/.test(path)
    const found = path.startsWith('docs/')
      ? (names.get(inDocs) ?? (isPicture ? inDocs : null))
      : null
    if (found === null) return `${REPOSITORY}${inRepository}`
    const relative = posix.relative(posix.dirname(name), found)
    const own = relative.startsWith('.') ? relative : `./${relative}`
    return anchor === undefined ? own : `${own}#${anchor}`
  }
  return text
    .split(/(^[ \t]*```[^]*?^[ \t]*```)/m)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part.replaceAll(/\]\(([^)\s]+)\)/g, (_, target: string) => `](${link(target)})`),
    )
    .join('')
}
