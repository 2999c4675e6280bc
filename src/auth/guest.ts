import type { SettingRow } from '../plugin/toggles.ts'

declare global {
  namespace Portico {
    interface RequestContext {
      /** The guest, if the request came by a public link to one document, without an account. */
      guest: Guest | undefined
    }

    /** A visitor by a public link: anonymous until they prove to be a contact of the client. */
    interface Guest {
      link: PublicLink
      /** Whether this browser has verified a code, and that person is still a contact. */
      known: boolean
      /** Whether codes can be mailed. */
      mails: boolean
      /** Whether a code is enough to sign, for anybody. */
      signs: boolean
      /** Whether the workspace lets clients answer such documents at all, by a link or signed in. */
      responds: boolean
      /** The address where a person with an account signs in to see the same document. */
      signIn: string
    }
  }
}

export type Guest = Portico.Guest

/** A public link to one document, with the toggles that the workspace set for its client. */
export interface PublicLink {
  id: string
  client: string
  section: string
  /** The document's id in the CRM, and its number or title. */
  document: string
  number: string
  /** Whether a code is required before the document is shown. */
  coded: boolean
  /** The contact that it was mailed to, by id. */
  recipient: string | null
  madeBy: string
  madeAt: Date
  until: Date
  settings: SettingRow[]
}
