/** A value that says whose it is: its browser, the user it was written for, and a number of its own. */
export function makeValue(browser: number, userId: string | null, isLarge: boolean): string {
  made += 1
  return `${browser}/${userId ?? ''}/${made}${isLarge ? `/${'x'.repeat(9000)}` : ''}`
}

let made = 0

/** What is wrong with a value that a request of this browser and user is given; null if nothing is. */
export function foreignValue(value: string, browser: number, userId: string | null): string | null {
  for (const piece of value.split(',')) {
    const [writtenBy, writtenFor] = piece.split('/')
    if (writtenBy !== String(browser)) return `a value of browser ${writtenBy}`
    if (writtenFor !== '' && writtenFor !== userId) return `a value of user ${writtenFor}`
  }
  return null
}

/** A value as a message shows it. */
export function shortValue(value: string | undefined): string {
  return value === undefined ? 'nothing' : value.replaceAll(/x{9,}/g, '…')
}
