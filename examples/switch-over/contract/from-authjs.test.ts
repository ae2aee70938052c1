import { openAuthjs } from './old-libraries.ts'
import { switchOver } from './switch-over.ts'

switchOver('Auth.js', openAuthjs)
