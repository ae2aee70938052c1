export { type StoreHarness, storeContract, type TestRunner } from './store-contract.ts'
