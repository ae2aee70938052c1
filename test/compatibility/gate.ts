/** Where a handler waits until a test lets it go on. */
export interface Gate {
  /** Resolves once a handler waits. */
  readonly reached: Promise<void>
  open(): void
  wait(): Promise<void>
}

export function gated(): Gate {
  let reach: () => void = () => undefined
  let openGate: () => void = () => undefined
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const opened = new Promise<void>((resolve) => {
    openGate = resolve
  })
  return {
    reached,
    open: () => openGate(),
    wait: () => {
      reach()
      return opened
    },
  }
}
