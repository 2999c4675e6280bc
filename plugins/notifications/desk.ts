import type { RequestHandler } from 'express'
import { z } from 'zod'
import { read } from '../../src/http/forms.ts'
import { kindsOf } from '../../src/notifications/kinds.ts'
import { recordEventIn } from '../../src/platform/activity.ts'
import type { Host, Section } from '../../src/plugin/plugin.ts'
import { storedSettings } from '../../src/plugin/stored-settings.ts'
import {
  isUsual,
  keepWorkspaceChoices,
  type WorkspaceChoices,
  workspaceChoices,
  workspaceChoicesOf,
} from './choices.ts'
import { columnsOf, linesOf } from './preferences.ts'

/** What people are told unless they choose otherwise, and what nobody can switch off. */
export const showDefaults =
  (host: Host, mails: boolean): RequestHandler =>
  async (req, res) => {
    const { inWorkspace, workspace } = req.portal
    const choices = await inWorkspace(tx => workspaceChoicesOf(tx, workspace.id))
    const columns = columnsOf(await switchedOn(host, workspace.id), mails)
    const groups = linesOf(host.plugins, it => !it.always).map(({ label, kinds }) => ({
      label,
      kinds: kinds.map(kind => ({
        ...{ name: kind.name, label: kind.label },
        cells: columns.map(({ name }) => ({
          name: `${kind.name}:${name}`,
          value: choices[kind.name]?.[name] ?? (isUsual(kind, name) ? 'on' : 'off'),
        })),
      })),
    }))
    res.respond('notifications/defaults', { columns, groups, mails, saved: req.query.saved === '' })
  }

/** Plugins without the channels that are switched off for the workspace. */
async function switchedOn({ database, plugins }: Host, workspace: string): Promise<Section[]> {
  const settings = await storedSettings(database, workspace)
  return plugins.filter(({ name, channel, toggles }) => !channel || (settings.get(name) ?? toggles[name]?.default))
}

const Form = z.record(z.string(), z.unknown())

export const saveDefaults =
  (host: Host, mails: boolean): RequestHandler =>
  async (req, res) => {
    const form = read(Form, req)
    const { workspace, staff } = req.portal
    await req.portal.inWorkspace(async tx => {
      const before = await workspaceChoicesOf(tx, workspace.id)
      const choices: WorkspaceChoices = { ...before }
      for (const kind of kindsOf(host.plugins).values())
        for (const { name } of columnsOf(host.plugins, mails)) {
          const chosen = workspaceChoices.find(it => it === form[`${kind.name}:${name}`])
          if (chosen) choices[kind.name] = { ...choices[kind.name], [name]: chosen }
        }
      const changed = changesIn(before, choices)
      if (!changed.length) return
      await keepWorkspaceChoices(tx, workspace.id, choices)
      const actor = { kind: 'staff', id: staff?.id, name: staff?.name } as const
      await recordEventIn(tx, req, {
        event: 'notifications.defaults-changed',
        subject: { count: changed.length, changed },
        actor,
      })
    })
    res.redirect(303, req.portal.url('/notifications?saved'))
  }

/** Each change with its value before and after. */
const changesIn = (before: WorkspaceChoices, after: WorkspaceChoices): string[] =>
  Object.entries(after).flatMap(([kind, channels]) =>
    Object.entries(channels).flatMap(([channel, to]) => {
      const from = before[kind]?.[channel]
      return from === to ? [] : [`${kind} ${channel}: ${from ?? 'as it comes'} → ${to}`]
    }),
  )
