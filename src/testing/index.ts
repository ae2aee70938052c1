export { type DriverHarness, type DriverTraits, driverContract } from './driver-contract.ts'
export { type StoreHarness, storeContract, type TestRunner } from './store-contract.ts'
