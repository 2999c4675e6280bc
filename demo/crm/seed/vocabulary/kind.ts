// title, details, unit, price in the workspace's currency, which of the workspace's tax rates
export type Item = [title: string, details: string | null, unit: string, price: string, rate?: number]

// {month} and {year} become those of the document's own date
export type Vocabulary = {
  taxes: string[]
  groups: Record<string, Item[]>
  invoices: [group: string, subject: string][]
  proposals: string[]
  quotations: [group: string, subject: string][]
  greetings: string[]
  terms: string[]
  projects: [name: string, ...phases: string[]][]
  tasks: string[]
  requests: string[]
  tickets: [subject: string, body: string][]
  documents: [folder: string, name: string, mime: string][]
  comments: string[]
}
