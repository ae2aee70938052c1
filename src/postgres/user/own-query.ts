import { ConfigurationError } from '../../errors.ts'

/** What may hold a `$1` that is not a parameter, then the parameters, and what would end the query early. */
const TOKEN =
  /(?<text>(?<![\w$])[eE]'(?:[^'\\]|\\[^]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w$])\$(?<tag>(?:[A-Za-z_]\w*)?)\$[^]*?\$\k<tag>\$|--[^\n]*|\/\*[^]*?\*\/)|(?<![\w$])\$(?<parameter>\d+)|(?<other>[;()'"])/g

/**
 * Puts an SQL expression for the user's id into an application's query, in place of each `$1`.
 *
 * Texts, quoted names and comments stay as they are. The query stands within parentheses of ours, so one that closes
 * more of them than it opens is refused, as is a second statement.
 *
 * @throws {ConfigurationError} If it is not a single query of `$1`.
 */
export function bindUserId(name: string, query: string, userId: string): string {
  const refuse = (problem: string): never => {
    throw new ConfigurationError(
      `${name}.query must be one query for the user id $1, such as 'select id, name from app.users where id = $1'. ${problem}`,
    )
  }
  const body = query.trim().replace(/;$/, '')
  if (!/^(?:select|with|values|table)\b/i.test(body)) refuse('It must begin with select.')
  let depth = 0
  let uses = 0
  const bound = body.replace(TOKEN, (token: string, ...rest: unknown[]) => {
    const { parameter, other } = rest.at(-1) as { parameter?: string; other?: string }
    if (parameter !== undefined) {
      if (parameter !== '1') refuse(`It uses $${parameter}, and $1 is all that there is.`)
      uses++
      return userId
    }
    if (other === ';') refuse('It holds several statements.')
    if (other === "'" || other === '"') refuse('A quote in it is not closed.')
    if (other === '(') depth++
    if (other === ')' && --depth < 0) refuse('It closes a parenthesis that it has not opened.')
    return token
  })
  if (depth > 0) refuse('It opens a parenthesis that it does not close.')
  if (uses === 0) refuse('It does not use $1, so every user would be the same one.')
  return bound
}
