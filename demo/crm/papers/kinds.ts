export type Kind = {
  path: 'proposals' | 'quotations' | 'invoices'
  one: string
  many: string
  prefix: string
  states: string[]
  end: string
  offer: boolean
  editable: string[]
  columns: { title: string; state: string; issued: string; end: string; intro: string; terms: string; owner: string }
  lines: {
    table: string
    parent: string
    position: string
    group: string
    title: string
    quantity: string
    price: string
    optional?: string
    chosen?: string
  }
}

const offerStates = ['draft', 'sent', 'accepted', 'rejected', 'withdrawn']

export const kinds: Record<Kind['path'], Kind> = {
  proposals: {
    path: 'proposals',
    one: 'Proposal',
    many: 'Proposals',
    prefix: 'P-',
    states: offerStates,
    end: 'Valid until',
    offer: true,
    editable: ['draft', 'sent'],
    columns: {
      title: 'title',
      state: 'state',
      issued: 'issued_on',
      end: 'valid_until',
      intro: 'intro',
      terms: 'terms',
      owner: 'owner_id',
    },
    lines: {
      table: 'proposal_lines',
      parent: 'proposal_id',
      position: 'position',
      group: 'group_title',
      title: 'title',
      quantity: 'qty',
      price: 'unit_price',
      optional: 'is_optional',
      chosen: 'is_chosen',
    },
  },
  quotations: {
    path: 'quotations',
    one: 'Quotation',
    many: 'Quotations',
    prefix: 'Q-',
    states: offerStates,
    end: 'Valid until',
    offer: true,
    editable: ['draft', 'sent'],
    columns: {
      title: 'subject',
      state: 'status',
      issued: 'quoted_on',
      end: 'valid_until',
      intro: 'opening',
      terms: 'conditions',
      owner: 'prepared_by',
    },
    lines: {
      table: 'quotation_lines',
      parent: 'quotation_id',
      position: 'sort',
      group: 'section',
      title: 'name',
      quantity: 'quantity',
      price: 'price',
      optional: 'optional',
      chosen: 'chosen',
    },
  },
  invoices: {
    path: 'invoices',
    one: 'Invoice',
    many: 'Invoices',
    prefix: '',
    states: ['draft', 'sent', 'partial', 'paid', 'void'],
    end: 'Due on',
    offer: false,
    editable: ['draft'],
    columns: {
      title: 'subject',
      state: 'state',
      issued: 'issued_on',
      end: 'due_on',
      intro: 'remarks',
      terms: 'po_number',
      owner: 'owner_id',
    },
    lines: {
      table: 'invoice_lines',
      parent: 'invoice_id',
      position: 'position',
      group: 'group_title',
      title: 'title',
      quantity: 'qty',
      price: 'unit_price',
    },
  },
}
