import { ConfigurationError } from '../../errors.ts'

/** Markup. Only `html` makes it. */
export class Html {
  readonly #text: string

  /** @internal */
  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a template: text is escaped; null, undefined and `false` give nothing. */
export type Content = Html | string | number | false | null | undefined | readonly Content[]

/**
 * Makes markup of a template. What is not itself made by `html` is escaped, so no id, label or name becomes markup.
 * A value may stand in text and in a quoted attribute; a template with one anywhere else is refused.
 *
 * @throws {ConfigurationError} A value stands where escaping does not help: a tag's or an attribute's name, an
 * attribute without quotes, a script or a style.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  if (!checked.has(strings)) checkPlaces(strings)
  return new Html(String.raw({ raw: strings }, ...values.map(render)))
}

/** A template is checked once, however often it is filled. */
const checked = new WeakSet<TemplateStringsArray>()

function checkPlaces(strings: TemplateStringsArray): void {
  let before = ''
  for (const part of strings.slice(0, -1)) {
    before += part
    if (!isSafePlace(before)) {
      throw new ConfigurationError(`A value cannot stand after ${JSON.stringify(part.slice(-40))}.`)
    }
    before += 'value'
  }
  checked.add(strings)
}

/** In text, or between the quotes of an attribute. */
function isSafePlace(before: string): boolean {
  if (/<(?:script|style)\b[^>]*>(?![^]*<\/(?:script|style)>)[^]*$/i.test(before)) return false
  const tag = before.slice(before.lastIndexOf('<'))
  const isText = !tag.startsWith('<') || tag.includes('>')
  return isText || /^<[\w-]+(?:\s+[\w-]+(?:="[^"<>]*")?)*\s+[\w-]+="[^"<>]*$/.test(tag)
}

function render(content: Content): string {
  if (content === null || content === undefined || content === false) return ''
  if (Array.isArray(content)) return content.map(render).join('')
  return content instanceof Html ? content.toString() : escapeText(String(content))
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Also directions of text, by which a name could show what follows it in another order, and spaces without a width. */
function escapeText(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string)
    .replaceAll(/[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu, shownCode)
}

function shownCode(character: string): string {
  if (character === '\n' || character === '\t') return character
  return `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`
}
