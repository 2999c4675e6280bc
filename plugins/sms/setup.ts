import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import { z } from 'zod'
import { Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import type { Host } from '../../src/plugin/plugin.ts'
import { storedSettings } from '../../src/plugin/stored-settings.ts'
import { optionsOf, saveOption } from '../../src/settings/plugin-options.ts'
import { NewNumber, refused } from './pages.ts'
import { sendText } from './provider.ts'

const shown = ['sms.address', 'sms.account', 'sms.sender', 'sms.budget'] as const

export const showSetup =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const { workspace } = req.portal
    const [[token, codes], values, settings] = await Promise.all([
      optionsOf<[string, boolean]>(host, workspace.id, ['sms.token', 'sms.codes']),
      optionsOf<unknown[]>(host, workspace.id, [...shown]),
      storedSettings(host.database, workspace.id),
    ])
    res.respond('sms/setup', {
      values: Object.fromEntries(shown.map((name, at) => [name, String(values[at])])),
      ...{
        hasToken: token !== '',
        codes,
        switchedOn: settings.get('sms') === true,
        said: String(req.query.said ?? ''),
      },
    })
  }

const Form = z.record(z.string(), z.string())

export const saveSetup =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const form = read(Form, req)
    for (const name of shown) await saveOption(req, host, { name, value: form[name], before: form[`before ${name}`] })
    await saveOption(req, host, {
      name: 'sms.codes',
      value: form['sms.codes'] === 'on',
      before: form['before sms.codes'] === 'on',
    })
    if (form['sms.token']) await saveOption(req, host, { name: 'sms.token', value: form['sms.token'] })
    res.redirect(303, req.portal.url('/sms?said=saved'))
  }

export const trySetup =
  (host: Host): RequestHandler =>
  async (req, res) => {
    const { mobile: to } = read(NewNumber, req)
    const { workspace, t, url } = req.portal
    const text = t('This is a test of {workspace}.', { workspace: workspace.name })
    const result = await sendText(host, { workspace: workspace.id }, { id: randomUUID(), to, text }).catch(
      () => 'refused',
    )
    if (result !== 'sent') throw new Invalid({ mobile: [refused] }, req.portal.body ?? {})
    res.redirect(303, url('/sms?said=sent'))
  }
