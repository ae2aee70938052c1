import { createTestDatabase } from '../support/database.ts'
import { testAdminInBrowser } from './admin-in-browser.ts'

testAdminInBrowser({
  title: 'the admin page in a browser',
  open: createTestDatabase,
  isThorough: false,
})
