import type { Request } from 'express'
import { z } from 'zod'
import {
  Conflict,
  consentOf,
  fingerprintOf,
  Invalid,
  may,
  NotFound,
  plugin,
  policyOf,
  printedDocument,
  read,
  responsesTo,
  type SignedSubject,
  sendPdf,
  sign,
  signatureFields,
  signatureIn,
} from '../../../src/sdk.ts'
import { type Proof, type Proofs, proofsOf } from './store.ts'

type Content = Pick<Proof, 'number' | 'version' | 'artwork'>

const contentOf = ({ number, version, artwork }: Proof): Content => ({ number, version, artwork })

/** A proof has no lines, no total and no options: it is signed like anything else. */
const evidence: SignedSubject<Proofs, Content> = {
  async read(port, id) {
    const proof = await port.find(id)
    return { content: contentOf(proof), open: proof.state === 'open' }
  },
  print: ({ number, artwork }, reader) => ({
    ...printedDocument(reader),
    title: artwork,
    number,
    date: '2026-11-01',
    addressee: { label: 'For', lines: [] },
    facts: [['Proof', number]],
    intro: [`Artwork: ${artwork}`],
    groups: [],
    totals: [],
    terms: [],
  }),
  submission: port => ({ transactional: true, submit: (id, response) => port.respond(id, response) }),
  certificate: ({ name, number, client }) => ({
    heading: 'Certificate of approval',
    intro: `${name} approved proof ${number} for ${client}.`,
  }),
}

const Approving = z.object({ ...signatureFields, seen: z.string() })

export default plugin({
  name: 'proofs',
  title: 'Proofs',
  icon: 'file-text',
  order: 70,
  folder: import.meta.dirname,
  permissions: {
    'proofs.see': { label: 'See proofs', roles: ['admin', 'approver', 'billing', 'member', 'viewer'] },
    'proofs.approve': { label: 'Approve proofs', roles: ['admin', 'approver'] },
  },
  toggles: { proofs: { label: 'Proofs', about: 'Clients approve proofs.', default: true } },
  responseSchemas: {
    'proofs/show': z.object({ id: z.string(), artwork: z.string(), consent: z.string(), seen: z.string() }),
  },
  activity: {
    'proofs.accepted': 'approved the proof {number}',
    'proofs.declined': 'sent back the proof {number}: {reason}',
    'proofs.countersigned': 'countersigned the proof {number}',
  },
  store: proofsOf,
  evidence,

  routes(router) {
    const shown = async (req: Request<any>) => {
      const proof = await req.portal.crm.proofs.find(String(req.params.id))
      const facts = { document: proof.number, version: String(proof.version), client: req.portal.customer.client.name }
      const consent = consentOf(policyOf(req.portal), facts, `I approve the proof ${proof.number} for printing.`)
      return { proof, consent, seen: fingerprintOf({ ...contentOf(proof), consent }) }
    }

    router.get('/:id', may('proofs.see'), async (req, res) => {
      const { proof, ...more } = await shown(req)
      res.respond('proofs/show', { ...proof, ...more })
    })

    router.post('/:id/approval', may('proofs.approve'), async (req, res) => {
      const form = read(Approving, req)
      const { proof, consent, seen } = await shown(req)
      const { signature, wrong } = signatureIn(form, policyOf(req.portal).methods, req.portal.customer.person.name)
      if (!signature) throw new Invalid(wrong, req.portal.body)
      if (seen !== form.seen) throw new Conflict()
      const { id, number, version } = proof
      const document = { id, number, version, content: contentOf(proof) }
      await sign(req, { section: 'proofs', act: 'accepted', document, consent, signature })
      res.redirect(303, req.portal.url(`/proofs/${id}`))
    })

    router.get('/:id/approval/pdf', may('proofs.see'), async (req, res) => {
      const { number, id } = await req.portal.crm.proofs.find(String(req.params.id))
      const [last] = await responsesTo(req, 'proofs', id)
      if (!last?.sealed) throw new NotFound()
      sendPdf(req, res, { name: number, bytes: last.sealed })
    })

    router.get('/:id/approval/bundle', may('proofs.see'), async (req, res) => {
      const { id } = await req.portal.crm.proofs.find(String(req.params.id))
      const [last] = await responsesTo(req, 'proofs', id)
      if (!last?.bundle) throw new NotFound()
      res.json(last.bundle)
    })
  },
})
