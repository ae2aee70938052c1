/** A cookie jar that several tabs share, and the tokens that were in it before, as a thief may have kept them. */
export class Browser {
  readonly number: number
  #token: string | null = null
  readonly #earlier: string[] = []

  constructor(number: number) {
    this.number = number
  }

  /** The tokens that the browser was ever given. */
  get tokens(): readonly string[] {
    return this.#earlier
  }

  /** The token in the jar for an age of 0, the nth one before it for n; null for none. */
  tokenOf(age: number): string | null {
    return age === 0 ? this.#token : (this.#earlier.at(-1 - age) ?? this.#token)
  }

  obey(setCookies: readonly string[]): void {
    for (const setCookie of setCookies) {
      const token = /^__Host-id=([^;]*);/.exec(setCookie)?.[1]
      if (token === undefined) continue
      this.#token = token === '' ? null : token
      if (token !== '' && !this.#earlier.includes(token)) this.#earlier.push(token)
    }
  }
}
