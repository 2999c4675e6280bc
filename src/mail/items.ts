/** One of several things that a mail tells, with a link to it. */
export interface MailItem {
  title: string
  text: string
  url?: string
}

/** Items as one text, for a mail's facts: three lines for each, with an empty line between them. */
export const itemsText = (items: MailItem[]): string =>
  items.map(({ title, text, url }) => [title, text, url ?? ''].map(it => line(it)).join('\n')).join('\n\n')

/** The items of such a text, whatever it holds. Links lead to addresses of the web only. */
export const itemsIn = (text: string): MailItem[] =>
  text
    .split('\n\n')
    .map(it => it.split('\n'))
    .map(([title = '', words = '', url = '']) => ({
      ...{ title: title.trim(), text: words.trim() === none ? '' : words.trim() },
      ...(/^https?:\/\/\S+$/.test(url.trim()) && { url: url.trim() }),
    }))
    .filter(it => it.title)

/** An empty line would end the item. */
const line = (text: string) => text.replace(/\s+/g, ' ').trim() || none

const none = '–'
