/**
 * The network of an IP address, which leads to no single person: the first 24 bits of IPv4, 48 of IPv6. Null
 * for anything else, so that nothing is kept by mistake.
 */
export function truncatedAddress(address: string): string | null {
  const [plain = ''] = address.split('%')
  const v4 = V4.exec(plain.replace(/^::ffff:(?=\d+\.)/i, ''))
  if (v4 !== null) {
    const [, a, b, c, d] = v4
    const isValid = [a, b, c, d].every((part) => Number(part) <= 255)
    return isValid ? `${a}.${b}.${c}.0/24` : null
  }
  const [first, second, third] = groupsOf(plain) ?? []
  if (first === undefined) return null
  return `${new URL(`http://[${first}:${second}:${third}::]`).hostname.slice(1, -1)}/48`
}

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

/** The eight groups of an IPv6 address, in the spelling that the URL standard gives it. */
function groupsOf(address: string): string[] | null {
  const url = `http://[${address}]`
  if (!/^[\da-f:.]+$/i.test(address) || !URL.canParse(url)) return null
  const [head = '', tail] = new URL(url).hostname.slice(1, -1).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right]
}
