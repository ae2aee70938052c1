import { ConfigurationError } from '../errors.ts'
import { callback, type OptionTable, option } from '../options/option.ts'
import { randomToken } from './token.ts'

/** How the secrets of tokens are made and hashed, as `readOptions` gives it. */
export interface SecretOptions {
  readonly generateSecret: () => string
  readonly pepper: readonly string[]
}

export function defaultSecret(): string {
  return randomToken(24)
}

export const secretOptions: OptionTable<SecretOptions> = {
  generateSecret: callback('() => randomToken(24)', defaultSecret),
  pepper: {
    ...option('a key of at least 32 characters, or a list of them', [], readPeppers),
    refusesUndefined: 'Is its environment variable set? Without a pepper, leave the setting out.',
  },
}

/** Later peppers may be undefined, so that the environment may lack a previous one. */
function readPeppers(value: unknown): readonly string[] {
  const [current, ...previous] = [value].flat() as (string | undefined)[]
  if (current === undefined) {
    throw new ConfigurationError(
      'pepper has no current key, which would leave hashes without one. Put the key for new tokens first, or leave pepper out.',
    )
  }
  return [
    current,
    ...previous.filter((pepper) => pepper !== undefined && pepper !== ''),
  ] as string[]
}
