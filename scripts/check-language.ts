/** The words that CONTRIBUTING's "Language" rules out, in sources, documents and the demo. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './run-command.ts'

/** What is read by users and contributors. Decisions are history, migrations never change, and this file names the words. */
const READ = /^(src|demo|docs|bench|test|scripts|examples\/[^/]+\/|[A-Z]+\.md)/
const UNREAD =
  /^(docs\/(api|decisions)|src\/postgres\/migrations|bench\/results|scripts\/check-language\.ts|.*package-lock\.json)/
const TEXT = /\.(ts|tsx|js|md|astro|css)$/

/** Each with what to write instead. A system account is called "nobody" and stands in quotes. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/(?<!['"])\bnobody\b|\bnobody\b(?!['"])/i, 'name who: no request, no user, no other process'],
  [/\bwhoever\b/i, 'name who: the caller, an attacker'],
  [/\bsomebody\b/i, 'name who: another user, an attacker'],
  [/\banew\b/i, 'again'],
  [/\w of before\b(?!\))/i, 'earlier, previous'],
  [/\bcomes? by\b/i, 'visits'],
  [/\bwas not to be had\b/i, 'timed out waiting for'],
  [
    /(?<!there )\b(?:is|are|was|were) no (?!(?:longer|more|less|one|such|\w+er than)\b)\w/i,
    'is not a',
  ],
]

/** Lists each line with a banned word, and what to write instead. */
export async function checkLanguage(): Promise<string[]> {
  const { stdout } = await promisify(execFile)('git', ['ls-files'], { cwd: root })
  const files = stdout.split('\n').filter((file) => READ.test(file) && TEXT.test(file))
  const found = files.filter((file) => !UNREAD.test(file)).map(faultsIn)
  return (await Promise.all(found)).flat()
}

async function faultsIn(file: string): Promise<string[]> {
  const lines = (await readFile(join(root, file), 'utf8')).split('\n')
  return lines.flatMap((line, index) =>
    BANNED.flatMap(([word, instead]) => {
      const [said] = word.exec(line) ?? []
      return said === undefined ? [] : [`${file}:${index + 1}: “${said}”: ${instead}`]
    }),
  )
}
