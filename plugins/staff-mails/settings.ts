import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import type { CoreHost } from '../../src/auth/host.ts'
import { Invalid } from '../../src/http/errors.ts'
import { read } from '../../src/http/forms.ts'
import { languages } from '../../src/platform/i18n.ts'
import { addresses } from '../../src/settings/addresses.ts'
import { ownAdmins } from '../../src/settings/admins.ts'
import { type Chosen, eachKind, modes, type NewsKind, newsKinds, rulesOf, saveRules } from './rules.ts'

const mode = z.enum(modes, 'Choose one of these.').default('off')

const Form = z.object({
  ...eachKind(() => mode),
  owner: z.string().optional(),
  admins: z.string().optional(),
  also: z.string().optional(),
  summary: z.string().optional(),
  addresses,
  hour: z.coerce.number('Choose one of these.').int().min(0).max(23, 'Choose one of these.').default(8),
  language: z.enum(languages, 'Choose one of these.').default('en'),
  'was.revision': z.coerce.number().int().optional().catch(undefined),
})

type Parts = Pick<CoreHost, 'crm' | 'database' | 'files' | 'mailContext' | 'plugins'>

/** Whether clients can do such a thing here at all. */
const isOffered = (kind: NewsKind, { files, plugins }: Pick<Parts, 'files' | 'plugins'>) =>
  kind === 'uploads' ? files !== undefined : kind !== 'messages' || plugins.some(it => it.name === 'messages')

export const showStaffMails =
  ({ crm, database, files, mailContext, plugins }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const { portal } = req
    const rules = await rulesOf(database, portal.workspace.id)
    const typed = portal.problem ? Object(portal.body) : undefined
    const { directory } = crm
    res.respond('staff-mails/settings', {
      ...{
        newsKinds: newsKinds.filter(it => isOffered(it, { files, plugins })),
        modes,
        languages,
        revision: rules.revision,
      },
      chosen: typed
        ? { ...typed, addresses: String(typed.addresses ?? '') }
        : {
            ...eachKind(kind => rules.kinds[kind].mode),
            ...(rules.toOwner && { owner: 'on' }),
            ...(rules.toAdmins && { admins: 'on' }),
            ...(rules.also && { also: 'on' }),
            ...(rules.othersDaily && { summary: 'on' }),
            addresses: rules.addresses.join('\n'),
            hour: String(rules.hour),
            language: rules.language || portal.language,
          },
      knowsOwners: directory.owner !== undefined,
      knowsAdmins: await knowsAdmins({ crm, database }, portal.workspace.id),
      languageName,
      zone: portal.workspace.timeZone,
      mails: mailContext !== undefined,
      unchosen: rules.revision === 0,
      saved: req.query.saved === '',
    })
  }

/** Of a language, in itself. */
function languageName(language: string): string {
  const name = new Intl.DisplayNames(language, { type: 'language' }).of(language) ?? language
  return name.charAt(0).toUpperCase() + name.slice(1)
}

export const saveStaffMails =
  ({ crm, database }: Parts): RequestHandler<any> =>
  async (req, res) => {
    const form = read(Form, req)
    const revision = form['was.revision']
    // A form without it is none of ours: nothing is meant by it.
    if (revision === undefined) return res.redirect(303, req.portal.url('/staff-mails'))
    const chosen: Chosen = {
      modes: eachKind(kind => form[kind]),
      toOwner: form.owner === 'on' && crm.directory.owner !== undefined,
      toAdmins: form.admins === 'on' && (await knowsAdmins({ crm, database }, req.portal.workspace.id)),
      also: form.also === 'on',
      othersDaily: form.summary === 'on',
      ...{ addresses: form.addresses, hour: form.hour, language: form.language },
    }
    requireRecipients(req, chosen)
    await req.portal.inWorkspace(tx => saveRules(tx, req, revision, chosen))
    res.redirect(303, req.portal.url('/staff-mails?saved'))
  }

/** Whether it is known who administers the workspace: by the adapter, or because the portal stands alone. */
const knowsAdmins = async ({ crm, database }: Pick<Parts, 'crm' | 'database'>, workspace: string) =>
  crm.directory.admins !== undefined || (await ownAdmins(database, workspace)).length > 0

/** Throws Invalid where something is to be mailed and it is not said to whom. */
function requireRecipients(req: Request<any>, { modes: kinds, toOwner, toAdmins, addresses }: Chosen) {
  const others = toAdmins || addresses.length > 0
  const refuse = (sentence: string) => {
    throw new Invalid({ addresses: [sentence] }, req.portal.body)
  }
  if (newsKinds.some(kind => kinds[kind] !== 'off') && !others && !toOwner) refuse('Choose who is e-mailed.')
  if (kinds.failures !== 'off' && !others) refuse('Failed e-mails belong to no document. Enter an address for them.')
}
