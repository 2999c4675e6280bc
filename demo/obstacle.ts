/** What whoever starts the demo can put right: the message says how, and no stack is shown. */
export class Obstacle extends Error {}
