import { openDottedPattern, openHashedPattern } from './old-libraries.ts'
import { switchOver } from './switch-over.ts'

switchOver("Lucia's pattern with a hash as id", openHashedPattern)
switchOver("Lucia's pattern with an id and a secret", openDottedPattern)
