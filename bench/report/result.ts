import type { Machine } from '../environment/machine.ts'
import type { Extent } from '../environment/stage.ts'
import type { Sections } from './sections.ts'
import type { Target } from './targets.ts'

/** All figures of one run, as they go into JSON; `README.md` explains every key. */
export interface Result {
  readonly format: 1
  readonly extent: Extent
  readonly startedAt: string
  readonly seconds: number
  /** The revision of this repository, with `+` when files had been changed since. */
  readonly revision: string
  readonly machine: Machine
  readonly postgres: {
    readonly version: string
    readonly settings: Readonly<Record<string, string>>
    readonly cpuIsKnown: boolean
  }
  /** Null where it is not installed. */
  readonly redis: { readonly version: string } | null
  readonly peers: Readonly<Record<string, string>>
  readonly sections: Sections
  readonly targets: readonly Target[]
}

/** Four digits say more than can be measured. */
export function rounded<Value>(value: Value): Value {
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'number' && !Number.isInteger(part) ? Number(part.toPrecision(4)) : part,
  )
  return JSON.parse(text) as Value
}
