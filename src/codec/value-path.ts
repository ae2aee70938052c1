/** Writes down where in a value something lies, the way one would write it in code. */

/** One step into a value: a property's name, an array's index, or code for what has neither. */
export type PathStep = string | number | { readonly code: string }

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
const LONGEST_NAME = 40

/**
 * The path of a session's own key, to hand to `Codec.encode`: `basket`, or `["odd key"]`.
 *
 * Control characters and lone surrogates come out escaped and long keys cut, so that a key which a
 * client chose cannot forge a line of the log.
 */
export function rootPath(key: string): string {
  return isShortIdentifier(key) ? key : `[${quoted(key)}]`
}

/** Appends steps to a path: `basket.items[3]["odd key"]`. */
export function pathTo(root: string, steps: readonly PathStep[]): string {
  return root + steps.map(stepText).join('')
}

/** A string as it would stand in code, cut when it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text)
}

function stepText(step: PathStep): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'object') return step.code
  return isShortIdentifier(step) ? `.${step}` : `[${quoted(step)}]`
}

function isShortIdentifier(text: string): boolean {
  return text.length <= LONGEST_NAME && IDENTIFIER.test(text)
}
