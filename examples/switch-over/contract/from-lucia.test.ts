import { openLucia } from './old-libraries.ts'
import { switchOver } from './switch-over.ts'

switchOver('Lucia 3', openLucia)
