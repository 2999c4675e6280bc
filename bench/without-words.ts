// Takes words (WITHOUT_WORDS, separated by spaces) out of the audit's lexicon before it is loaded.
import { registerHooks } from 'node:module'

const words = (process.env.WITHOUT_WORDS ?? '').split(' ').filter(Boolean)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!words.length || !url.endsWith('/audit/lexicon.ts')) return loaded
    return { ...loaded, source: words.reduce(without, String(loaded.source)) }
  },
})

/** A word that nothing is called by stands for it, since an empty alternative would fit everything. */
const without = (source: string, word: string) =>
  source.replace(new RegExp(`(?<=[' ])${word.replace(/[^\w ]/g, '\\$&')}(?=[' ])`, 'g'), 'nothing_is_called_this')
