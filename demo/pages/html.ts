/** Text that is safe to send as HTML. Only `html` makes it. */
export class Html {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What may stand in a template: text is escaped, nothing and `false` leave no trace. */
export type Content = Html | string | number | false | null | undefined | readonly Content[]

/**
 * Makes HTML of a template. Whatever is not itself made by `html` is escaped, in text and in quoted
 * attributes, so that no name or message can become markup.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(render)))
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

function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string)
}
