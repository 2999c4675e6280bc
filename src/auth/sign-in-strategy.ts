/** A sign-in method that the CRM brings, as a Passport strategy. */
export interface SignInStrategy {
  /** Used in addresses: lower-case letters, digits and hyphens. */
  name: string
  /** Shown on the button, after "Sign in with". */
  title: string
  /**
   * A Passport strategy. The user that it reports is `{ email, emailVerified: true }`, or `{ client, contact }` with
   * the CRM's ids of a client and one of its contacts. `req.session` holds its state between redirect and callback; the
   * rest of the request is the CRM's.
   */
  strategy: { authenticate(this: any, req: any, options?: any): unknown }
  /** Slugs of the workspaces whose clients it may sign in; all if omitted. */
  workspaces?: string[]
}
