/** Bytes that no one meant to send: pieces of a corpus, changed, cut, joined and repeated. A seed repeats them. */
export class HostileBytes {
  readonly #corpus: readonly Buffer<ArrayBuffer>[]
  #state: number

  constructor(corpus: readonly (string | Uint8Array)[], seed: number) {
    this.#corpus = [...corpus.map((it) => Buffer.from(it as string)), Buffer.alloc(0)]
    this.#state = seed | 0 || 1
  }

  next(): Buffer {
    let bytes: Buffer<ArrayBuffer> = Buffer.from(this.#pick(this.#corpus))
    for (let changes = this.#below(5); changes > 0; changes -= 1) bytes = this.#changed(bytes)
    return bytes
  }

  #changed(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const at = this.#below(bytes.length + 1)
    switch (this.#below(8)) {
      case 0:
        return bytes.subarray(0, at)
      case 1:
        return Buffer.concat([bytes, this.#pick(this.#corpus)])
      case 2:
        return Buffer.concat([bytes.subarray(0, at), this.#some(), bytes.subarray(at)])
      case 3:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + this.#below(4))])
      case 4:
        return Buffer.concat([this.#pick(this.#corpus).subarray(0, at), bytes.subarray(at)])
      default: {
        if (bytes.length > 0) bytes[this.#below(bytes.length)] = this.#pick(TELLING)
        return bytes
      }
    }
  }

  #some(): Buffer {
    return Buffer.from(Array.from({ length: this.#below(9) }, () => this.#below(256)))
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item
  }

  /** @see https://doi.org/10.18637/jss.v008.i14 (xorshift) */
  #below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }
}

/** Bytes at which parsers turn: separators, quotes, the ends of ranges, halves of UTF-8. */
const TELLING = [
  ...Buffer.from('\0\t\r\n "%,;=\\{}[]:+-_/.aA0'),
  ...[0x01, 0x7f, 0x80, 0xa0, 0xbf, 0xc0, 0xed, 0xf0, 0xff],
]
