import { parse, stringify } from 'devalue'
import type { AstroSessionDriver } from 'pg-sessions/astro-session'

/** An entry of Astro's session: what `session.set` was given, and more that comes and goes with it. */
interface AstroEntry {
  readonly data: unknown
  readonly expires?: number | undefined
}

/**
 * One request of Astro, with its session: it reads all of it, keeps the entries that it leaves alone as they
 * are, and stores all of it when something has changed. The real one is tested in `examples/astro/contract`.
 */
export class AstroVisit {
  readonly #driver: AstroSessionDriver
  readonly #id: string
  readonly #entries = new Map<string, AstroEntry>()

  constructor(driver: AstroSessionDriver, id: string) {
    this.#driver = driver
    this.#id = id
  }

  async read(): Promise<Record<string, unknown>> {
    const text = await this.#driver.getItem(this.#id)
    for (const [key, entry] of text === null ? [] : (parse(text) as Map<string, AstroEntry>)) {
      this.#entries.set(key, entry)
    }
    return Object.fromEntries([...this.#entries].map(([key, { data }]) => [key, data]))
  }

  set(key: string, data: unknown, expires?: number): this {
    this.#entries.set(key, { data, expires })
    return this
  }

  delete(key: string): this {
    this.#entries.delete(key)
    return this
  }

  persist(id: string = this.#id): Promise<void> {
    return this.#driver.setItem(id, stringify(this.#entries))
  }
}
