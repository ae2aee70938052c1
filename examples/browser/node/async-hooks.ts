/** `node:async_hooks` for a page with one visitor, in which no work has to be told from that of another request. */
export class AsyncLocalStorage<Store> {
  #store: Store | undefined

  run<Result>(store: Store, work: () => Result): Result {
    const before = this.#store
    this.#store = store
    try {
      return work()
    } finally {
      this.#store = before
    }
  }

  getStore(): Store | undefined {
    return this.#store
  }
}

export class AsyncResource {
  static bind<Work>(work: Work): Work {
    return work
  }

  runInAsyncScope<Result>(work: () => Result): Result {
    return work()
  }
}
