export {
  type AdapterTraits,
  type ApplicationParts,
  adapterContract,
  type ErrorPage,
  type OpenApplication,
  type OwnHeaders,
  ownHeaders,
  type RunningApplication,
  type Script,
} from './adapter-contract.ts'
export {
  type DriverHarness,
  type DriverTraits,
  driverContract,
  type OtherDriver,
} from './driver-contract.ts'
export type { PostgresMessage, Side } from './fault-proxy/postgres-messages.ts'
export { FaultProxy, type ServerAddress, startFaultProxy } from './fault-proxy.ts'
export {
  type PlaywrightCookie,
  type SignedIn,
  type SignedInOptions,
  signedInAs,
} from './signed-in-as.ts'
export { type StoreHarness, storeContract, type TestRunner } from './store-contract.ts'
