import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { languages } from '../../src/platform/i18n.ts'
import { openBrowser } from '../browser.ts'
import { type Language, mails, notifications, type Shown } from './rendered.ts'

/** Mails on one picture. */
const onOne = 8
/** Notifications on one picture. */
const listed = 6

/** Writes pictures of all mails and notifications into a folder, for people to look at. */
export async function writeSheets(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const browser = await openBrowser()
  for (const language of languages) {
    for (const scheme of ['light', 'dark'] as const) await paintMails(browser, folder, { language, scheme })
    await paintTexts(browser, folder, language)
  }
  await browser.close()
}

interface Look {
  language: Language
  scheme: 'light' | 'dark'
}

async function paintMails(browser: Browser, folder: string, { language, scheme }: Look) {
  const page = await browser.newPage({ viewport: { width: 4 * 376 + 16, height: 800 }, colorScheme: scheme })
  for (const [at, its] of inParts(mails(language), onOne).entries()) {
    const figures = its.map(
      ({ kind, subject, html }) =>
        `<figure><figcaption><b>${safe(kind)}</b><br>${safe(subject)}</figcaption><iframe srcdoc="${safe(html)}"></iframe></figure>`,
    )
    await page.setContent(sheet(`<div class="mails">${figures.join('')}</div>`))
    await page.evaluate(fitFrames)
    await page.screenshot({ path: join(folder, `mails-${language}-${scheme}-${at + 1}.png`), fullPage: true })
  }
  await page.close()
}

async function paintTexts(browser: Browser, folder: string, language: Language) {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } })
  const all = notifications(language)
  await writeFile(join(folder, `notifications-${language}.html`), sheet(all.map(row).join('')))
  for (const [at, its] of inParts(all, listed).entries()) {
    await page.setContent(sheet(its.map(row).join('')))
    await page.screenshot({ path: join(folder, `notifications-${language}-${at + 1}.png`), fullPage: true })
  }
  await page.close()
}

const row = ({ kind, text, about, several, push, hidden, sms }: Shown) => `
  <h2>${safe(kind)}</h2>
  <div class="ways">
    <div><h3>bell and page</h3><p>${safe(text)}<br><small>${safe(about)}</small></p><p>3: ${safe(several)}</p></div>
    <div><h3>push, ${push.bytes} bytes</h3><p class="phone"><b>${safe(push.title)}</b><br>${safe(push.body)}</p>
      <p class="phone"><b>${safe(hidden.title)}</b><br>${safe(hidden.body)}</p></div>
    <div><h3>SMS, ${sms.messages} of 2</h3><p class="bubble">${safe(sms.text)}</p></div>
  </div>`

const inParts = <T>(all: T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))

const safe = (text: string) =>
  text.replace(/[&<>"]/g, it => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[it]!)

/** Each as high as its mail. */
const fitFrames = `Promise.all([...document.querySelectorAll('iframe')].map(async it => {
  if (it.contentDocument.readyState !== 'complete' || !it.contentDocument.body.childElementCount)
    await new Promise(done => it.addEventListener('load', done))
  it.style.height = it.contentDocument.documentElement.scrollHeight + 'px'
}))`

const sheet = (body: string) => `<!doctype html><meta charset="utf-8"><style>
  body { margin: 16px; font: 15px/1.45 system-ui, sans-serif; background: #c9ccd1; color: #16191a }
  .mails { display: flex; flex-wrap: wrap; gap: 16px; align-items: start }
  figure { margin: 0; width: 360px }
  figcaption { font-size: 13px }
  iframe { width: 360px; height: 400px; border: 0; background: #fff }
  .ways { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 16px }
  .ways > div { background: #f4f4f2; padding: 12px; border-radius: 8px }
  h2 { font-size: 15px; margin: 14px 0 4px }
  h3 { font-size: 12px; margin: 0 0 6px; color: #555 }
  p { margin: 0 0 8px; overflow-wrap: anywhere }
  .phone { background: #fff; border-radius: 14px; padding: 8px 12px; white-space: pre-line; border: 1px solid #ddd }
  .bubble { background: #e3e3e8; border-radius: 14px; padding: 8px 12px }
</style>${body}`
