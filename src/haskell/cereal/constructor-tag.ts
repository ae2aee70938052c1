import { ConfigurationError } from '../../errors.ts'
import type { CerealInput } from './cereal-input.ts'
import type { CerealOutput } from './cereal-output.ts'

/** How the constructors of a data type are told apart in the bytes. */
export interface ConstructorTag {
  readonly indexes: ReadonlyMap<string, number>
  /** A type with one constructor needs no byte to tell which. */
  readonly width: 0 | 1 | 2
}

/** @throws {ConfigurationError} These cannot be the constructors of a type that cereal can read. */
export function tagOf(constructors: readonly string[]): ConstructorTag {
  const { length } = constructors
  if (length === 0) {
    throw new ConfigurationError('A data type needs at least one constructor.')
  }
  if (length === 256) {
    throw new ConfigurationError(
      'cereal writes each value of a type with exactly 256 constructors as the byte 00 and cannot read it back, so no such value can be shared.',
    )
  }
  if (length > 0xffff) {
    throw new ConfigurationError(
      `A data type has at most 65535 constructors; this one has ${length}.`,
    )
  }
  const indexes = new Map(constructors.map((name, index) => [name, index]))
  if (indexes.size < length) {
    throw new ConfigurationError('A constructor stands twice in a data type. Write each once.')
  }
  return { indexes, width: length === 1 ? 0 : length < 256 ? 1 : 2 }
}

export function writeConstructor(output: CerealOutput, tag: ConstructorTag, index: number): void {
  if (tag.width === 1) output.byte(index)
  if (tag.width === 2) output.uint16(index)
}

export function readConstructor(input: CerealInput, tag: ConstructorTag): number {
  if (tag.width === 0) return 0
  const index = tag.width === 1 ? input.byte() : input.uint16()
  if (index >= tag.indexes.size) input.fail('name a constructor that the type has not.')
  return index
}
