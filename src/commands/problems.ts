/** The command was used in a wrong way. */
export class Wrong extends Error {}
/** Something is not as it must be. */
export class Trouble extends Error {}
