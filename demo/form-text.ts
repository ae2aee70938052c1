/** Reads one line of text from a form; null if it is missing, empty, too long or has control characters. */
export function readText(value: unknown, maxLength: number): string | null {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' || text.length > maxLength || /\p{Control}/u.test(text) ? null : text
}
