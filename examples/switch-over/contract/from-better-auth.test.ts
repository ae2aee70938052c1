import { openBetterAuth } from './old-libraries.ts'
import { switchOver } from './switch-over.ts'

switchOver('better-auth', openBetterAuth)
