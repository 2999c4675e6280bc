/** Why a reply is held or ignored: a sentence for staff, with its facts. */
export interface Why {
  sentence: string
  facts?: Record<string, string | number>
}
