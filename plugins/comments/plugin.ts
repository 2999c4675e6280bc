import { z } from 'zod'
import { described } from '../../src/api/described.ts'
import { describedForm, encoded, shownFiles } from '../../src/files/attachments.ts'
import { showAgainOnError } from '../../src/http/respond.ts'
import { query } from '../../src/platform/database.ts'
import { admins, may } from '../../src/plugin/permissions.ts'
import { section } from '../../src/plugin/plugin.ts'
import { takeReply } from './by-mail.ts'
import { Comment, disputedOf, filesOfComment, findComment, say } from './comments.ts'
import { sendFile, sendFileToStaff, sendPreview, sendPreviewToStaff } from './files.ts'
import { saveReply, showQuestions } from './inbox.ts'
import { mails } from './mails.ts'

const typed = z.object({ text: z.string(), line: z.string().optional(), disputed: z.literal('on').optional() })

/** SQL, of the subject of kind $3 with the id $4. */
const address = `, 'address', '/' || $3 || '/' || ${encoded('$4')} || '/comments/files/' || f.id || '/content'`

/**
 * Comments on subjects of any plugin. A subject that takes part has the permission `<name>.comment`, the toggle
 * `<name>.questions` and the events `<name>.commented`, `<name>.replied` and, where it can be disputed,
 * `<name>.disputed`, declared under `with`.
 */
export default section({
  name: 'comments',
  title: 'Questions',
  icon: 'message',
  order: 910,
  mails,
  notifications: {
    'comments.replied': {
      label: 'Answers to your questions',
      group: 'work',
      sentence: '{staff} answered on {number}: “{text}”',
      several: '{count} new answers on {number}',
      example: {
        staff: 'Marta Lindqvist',
        number: 'P-2026-031',
        text: 'Yes, travel within the country is in the price.',
      },
      icon: 'messages',
      mail: 'comments.replied',
    },
  },
  activity: {
    'comments.downloaded': { kind: 'download', sentence: 'downloaded {number}, attached to a question' },
  },

  attached: {
    shape: z.array(Comment).default([]),
    select: `(select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'at', c.at, 'line', c.line_title,
        'by', c.author_kind, 'name', c.author_name, 'text', c.text, 'disputed', c.disputed, 'files', ${filesOfComment(address)}, 'person', c.author_id, 'photo', (
          select u.photo_version from portal.client_users u join portal.client_memberships m
            on m.workspace_id = u.workspace_id and m.person_id = u.id and m.client_id = c.client_id
          where u.workspace_id = c.workspace_id and c.author_kind = 'client' and u.id::text = c.author_id))
        order by c.id), '[]')
      from (select * from portal.client_comments c
            where c.workspace_id = scope.workspace and c.client_id = scope.client and c.section = $3
              and c.document_id = $4 order by c.id desc limit 200) c)`,
  },

  privacy: {
    exports: async (tx, { workspace, person }) => ({
      questions: await query(tx, {
        text: `select at, section, number, line_title as line, text, disputed from portal.client_comments
               where workspace_id = $1 and author_id = $2::text and author_kind = 'client' order by id`,
        values: [workspace, person],
      }),
    }),
  },

  audit: [
    {
      question: 'B8',
      adds: 'questions about a proposal or quotation, with their answers',
      of: ['proposals', 'quotations'],
    },
    {
      question: 'F2',
      adds: 'questions about a proposal or quotation, with their answers',
      of: ['proposals', 'quotations'],
    },
  ],

  replies: { take: takeReply },

  slots: { subject: { view: 'comments/thread', data: async (_req, host) => shownFiles(host) } },

  capabilities: {
    comments: host => ({
      find: (workspace, id) => findComment(host.database, workspace, id),
      disputed: scope => disputedOf(host.database, scope),
      routes(router, thread) {
        const { kind, show, back } = thread
        router.post(
          '/:id/comments',
          may(`${kind}.comment`),
          described(describedForm(host, typed), async (req, res) => {
            await say(req, host, thread)
            res.redirect(303, `${await back(req)}#talk`)
          }),
          showAgainOnError(show),
        )
        router.get('/:id/comments/files/:file/content', may(`${kind}.see`), sendFile(host, thread))
        router.get('/:id/comments/files/:file/preview', may(`${kind}.see`), sendPreview(host, thread))
      },
    }),
  },

  settings: {
    path: 'questions',
    title: 'Questions',
    icon: 'message',
    order: 65,
    group: 'messages',
    waits: [
      '{count, plural, one {A question is waiting for an answer} other {# questions are waiting for an answer}}',
      'Answer',
    ],
    waiting: `(select count(*)::int from (
        select from portal.client_comments last
        where last.workspace_id = scope.workspace and last.author_kind = 'client' and not exists (
          select from portal.client_comments n
          where n.workspace_id = last.workspace_id and n.client_id = last.client_id and n.section = last.section
            and n.document_id = last.document_id and n.id > last.id offset 0)
        limit 100) q)`,
    routes(router, host) {
      router.get('/', admins, showQuestions(host))
      router.post('/:id/reply', admins, saveReply(host), showAgainOnError(showQuestions(host)))
      router.get('/files/:file/content', admins, sendFileToStaff(host))
      router.get('/files/:file/preview', admins, sendPreviewToStaff(host))
    },
  },
})
