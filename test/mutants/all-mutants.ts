import { adminMutants } from './guards-of-admin.ts'
import { batchingMutants } from './guards-of-batching.ts'
import { bearerMutants } from './guards-of-bearer.ts'
import { betterAuthMutants } from './guards-of-better-auth.ts'
import { clientMutants } from './guards-of-clients.ts'
import { credentialMutants } from './guards-of-credentials.ts'
import { haskellMutants } from './guards-of-haskell.ts'
import { importMutants } from './guards-of-imports.ts'
import { keptRowMutants } from './guards-of-kept-rows.ts'
import { lifeMutants } from './guards-of-lives.ts'
import { readMutants } from './guards-of-reads.ts'
import { requestMutants } from './guards-of-requests.ts'
import { signInMutants } from './guards-of-sign-ins.ts'
import { valueMutants } from './guards-of-values.ts'
import { writeMutants } from './guards-of-writes.ts'
import type { MutantGroup } from './mutant.ts'

/** Every guard that `npm run test:mutants` takes out. */
export const mutantGroups: readonly MutantGroup[] = [
  ...lifeMutants,
  ...readMutants,
  ...writeMutants,
  ...credentialMutants,
  ...batchingMutants,
  ...requestMutants,
  ...haskellMutants,
  ...bearerMutants,
  ...betterAuthMutants,
  ...importMutants,
  ...signInMutants,
  ...valueMutants,
  ...clientMutants,
  ...adminMutants,
  ...keptRowMutants,
]
