/**
 * A page for operators: figures and plots, search, and ending sessions.
 *
 * @module
 */
export type { AdminDecision, AdminPageOptions, AdminValue } from './admin-options.ts'
export { adminPage } from './admin-page.ts'
export type { AdministeredSessions } from './administrator.ts'
export { nodeAdminPage } from './node-admin-page.ts'
