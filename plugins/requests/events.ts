import type { EventSentence } from '../../src/plugin/parts.ts'
import type { Changed } from './port.ts'

/** The subject of an entry in the activity log. A list that one person alone can see is not named in it. */
export const loggedAs = (id: string, { request, item, personal, file }: Partial<Changed>, more: object = {}) =>
  personal
    ? { id, personal: 'yes', ...more, reason: undefined, names: undefined }
    : { id, personal: 'no', number: request, item, file, ...more }

/** A sentence about a list that everybody at the client can see, and one about a personal list. */
const either = (named: string, personal: string) => `{personal, select, yes {${personal}} other {${named}}}`

export const activity: Record<`requests.${string}`, EventSentence> = {
  'requests.viewed': {
    kind: 'view',
    sentence: either('looked at the request {number}', 'looked at a personal request'),
  },
  'requests.file_downloaded': {
    kind: 'download',
    sentence: either('downloaded {number}, sent for a request', 'downloaded a file of a personal request'),
  },
  'requests.zip_downloaded': {
    kind: 'download',
    sentence: either(
      'downloaded {count, plural, one {# file} other {# files}} of the request {number} as a zip',
      'downloaded {count, plural, one {# file} other {# files}} of a personal request as a zip',
    ),
  },
  'requests.uploaded': {
    kind: 'change',
    sentence: either(
      'sent {count, plural, one {a file} other {# files}} for “{item}” of the request {number}',
      'sent {count, plural, one {a file} other {# files}} for a personal request',
    ),
    weekly: 'Uploads',
  },
  'requests.file_removed': either(
    'removed {file} from “{item}” of the request {number}',
    'removed a file from a personal request',
  ),
  'requests.dismissed': either(
    'said that “{item}” of the request {number} does not apply: {reason}',
    'said that something in a personal request does not apply',
  ),
  'requests.undismissed': either(
    'said that “{item}” of the request {number} applies after all',
    'said that something in a personal request applies after all',
  ),
  'requests.sent': either(
    'asked for {count, plural, one {one thing} other {# things}}: {number}',
    'sent a personal request',
  ),
  'requests.item_accepted': either(
    'accepted {count, plural, one {“{item}”} other {# things}} of the request {number}',
    'accepted something of a personal request',
  ),
  'requests.item_returned': either(
    'sent back “{item}” of the request {number}',
    'sent back something of a personal request',
  ),
  'requests.item_withdrawn': either(
    'no longer asks for “{item}” of the request {number}',
    'took something off a personal request',
  ),
  'requests.items_added': either(
    'added {count, plural, one {one thing} other {# things}} to the request {number}',
    'added something to a personal request',
  ),
  'requests.changed': either('changed the request {number}', 'changed a personal request'),
  'requests.closed': either('closed the request {number}', 'closed a personal request'),
  'requests.reopened': either('opened the request {number} again', 'opened a personal request again'),
  'requests.withdrawn': either('withdrew the request {number}', 'withdrew a personal request'),
  'requests.prompted': either(
    'reminded {count, plural, one {# person} other {# people}} of the request {number}',
    'reminded somebody of a personal request',
  ),
  'requests.template_saved': 'saved version {version} of the request template {number}',
  'requests.template_removed': 'removed the request template {number}',
}
