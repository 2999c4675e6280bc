/** A wrong use of the command line. */
export class UsageError extends Error {}
/** The command could not do its work. */
export class CommandError extends Error {}
