/** What `npm run test:proof` asks of a part. */
export interface Proof {
  /** Decides all random inputs. */
  readonly seed: number
  /** How long the part may go on. */
  readonly minutes: number
  /** Whether the seed was given, to see a failure again. */
  readonly isReplay: boolean
}

export const proof: Proof = {
  seed: Number(process.env.PROOF_SEED ?? 1),
  minutes: Number(process.env.PROOF_MINUTES ?? 1),
  isReplay: process.env.PROOF_REPLAY === '1',
}
