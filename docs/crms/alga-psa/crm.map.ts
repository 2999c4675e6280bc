import { defineMap } from '../../../src/index.ts'

const { ALGA_URL, ALGA_API_KEY, ALGA_FILES } = process.env

/** Its documented API, as `ALGA_URL` with the key of a user of its own in `ALGA_API_KEY`. */
const update = (body: object) => ({
  method: 'PUT' as const,
  url: '{env ALGA_URL}/api/v1/quotes/{id}',
  headers: { 'x-api-key': '{env ALGA_API_KEY}' },
  body,
  // A key belongs to one tenant: 404 may mean that it is another tenant's, and is shown to staff instead.
  conflicts: [409],
  check: '{env ALGA_URL}/api/v1/quotes?limit=1',
})

/** AlgaPSA: its tenants are workspaces. Amounts are whole cents. In your own folder import from 'portico'. */
export default defineMap({
  workspaces: {
    query: `select t.tenant, t.client_name, t.email, t.phone_number, t.suspended_at,
              l.address_line1, l.address_line2, l.postal_code, l.city, l.country_name
            from tenants t
              left join tenant_companies c on c.tenant = t.tenant and c.is_default and c.deleted_at is null
              left join client_locations l on l.tenant = c.tenant and l.client_id = c.client_id and l.is_default`,
    reads: {
      tenants: ['tenant', 'client_name', 'email', 'phone_number', 'suspended_at'],
      tenant_companies: ['tenant', 'client_id', 'is_default', 'deleted_at'],
      client_locations: [
        ...['tenant', 'client_id', 'is_default'],
        ...['address_line1', 'address_line2', 'postal_code', 'city', 'country_name'],
      ],
    },
    id: 'tenant',
    deleted: 'suspended_at',
    slug: { madeOf: 'client_name' },
    name: 'client_name',
    letterhead: [
      'client_name',
      'address_line1',
      'address_line2',
      ['postal_code', 'city'],
      'country_name',
      'phone_number',
      'email',
    ],
  },
  clients: {
    query: `select c.tenant, c.client_id, c.client_name, c.is_inactive,
              l.address_line1, l.address_line2, l.address_line3, l.postal_code, l.city, l.country_name
            from clients c left join lateral (
              select address_line1, address_line2, address_line3, postal_code, city, country_name
              from client_locations l where l.tenant = c.tenant and l.client_id = c.client_id
              order by l.is_billing_address desc nulls last, l.is_default desc nulls last, l.location_id limit 1) l on true`,
    reads: {
      clients: ['tenant', 'client_id', 'client_name', 'is_inactive'],
      client_locations: [
        ...['tenant', 'client_id', 'location_id', 'is_billing_address', 'is_default'],
        ...['address_line1', 'address_line2', 'address_line3', 'postal_code', 'city', 'country_name'],
      ],
    },
    id: 'client_id',
    workspace: 'tenant',
    name: 'client_name',
    address: [
      'client_name',
      'address_line1',
      'address_line2',
      'address_line3',
      ['postal_code', 'city'],
      'country_name',
    ],
    deleted: 'is_inactive',
  },
  contacts: {
    table: 'contacts',
    id: 'contact_name_id',
    client: 'client_id',
    name: 'full_name',
    email: 'email',
    deleted: 'is_inactive',
  },
  quotations: {
    query: `select q.tenant, q.quote_id, q.client_id, q.quote_number, q.title, q.description, q.quote_date, q.valid_until,
              q.sent_at, q.status, q.version, q.is_template, q.currency_code, q.total_amount, q.client_notes,
              q.terms_and_conditions, q.rejection_reason, q.contact_id, q.created_by, q.accepted_by,
              q.subtotal - q.discount_total as net, coalesce(q.accepted_at, q.rejected_at) as answered_at
            from quotes q`,
    reads: {
      quotes: [
        ...['tenant', 'quote_id', 'client_id', 'quote_number', 'title', 'description', 'quote_date', 'valid_until'],
        ...['sent_at', 'status', 'version', 'is_template', 'currency_code', 'total_amount', 'client_notes'],
        ...['terms_and_conditions', 'rejection_reason', 'contact_id', 'created_by', 'accepted_by'],
        ...['subtotal', 'discount_total', 'accepted_at', 'rejected_at'],
      ],
    },
    id: 'quote_id',
    // Templates, and what was withdrawn before it was ever sent.
    only: { is_template: [false] },
    except: { sent_at: [null] },
    client: 'client_id',
    workspace: 'tenant',
    currency: 'currency_code',
    inCents: true,
    status: {
      column: 'status',
      words: {
        sent: 'open',
        accepted: 'accepted',
        converted: 'accepted',
        rejected: 'declined',
        expired: 'expired',
        cancelled: 'withdrawn',
        superseded: 'withdrawn',
        archived: 'withdrawn',
      },
      draft: ['draft', 'pending_approval', 'approved'],
    },
    number: 'quote_number',
    title: 'title',
    sentOn: 'quote_date',
    validUntil: 'valid_until',
    version: 'version',
    net: 'net',
    total: 'total_amount',
    intro: { first: ['description', 'client_notes'] },
    terms: 'terms_and_conditions',
    contact: 'contact_id > contacts(contact_name_id).full_name',
    owner: ['created_by > users(user_id).first_name', 'created_by > users(user_id).last_name'],
    ownerEmail: 'created_by > users(user_id).email',
    respondedOn: 'answered_at',
    respondedBy: ['accepted_by > users(user_id).first_name', 'accepted_by > users(user_id).last_name'],
    responseNote: 'rejection_reason',
    // By its own API, so that its own code runs: activities, opportunities, notifications.
    responses: {
      off: !ALGA_URL || !ALGA_API_KEY,
      accepted: { call: update({ status: 'accepted', po_number: '{order number}' }) },
      declined: { call: update({ status: 'rejected' }) },
    },
    lines: {
      // What a discount takes off is kept as an amount above zero.
      query: `select quote_item_id, quote_id, display_order, description, phase, quantity, unit_of_measure, unit_price,
                case when is_discount then -total_price else total_price end as total, is_optional,
                coalesce(is_selected, true) as is_selected
              from quote_items`,
      reads: {
        quote_items: [
          ...['quote_item_id', 'quote_id', 'display_order', 'description', 'phase', 'quantity', 'unit_of_measure'],
          ...['unit_price', 'total_price', 'is_discount', 'is_optional', 'is_selected'],
        ],
      },
      id: 'quote_item_id',
      of: 'quote_id',
      order: ['display_order', 'quote_item_id'],
      title: 'description',
      group: 'phase',
      quantity: 'quantity',
      unit: 'unit_of_measure',
      price: 'unit_price',
      total: 'total',
      optional: 'is_optional',
      chosen: 'is_selected',
    },
  },
  invoices: {
    // It is made final when it is sent. What is left of it is found by AlgaPSA's index on (tenant, invoice_id).
    query: `select i.tenant, i.invoice_id, i.client_id, i.invoice_number, i.invoice_date, i.due_date, i.status, i.currency_code,
              i.subtotal, i.total_amount, i.po_number,
              case when i.invoice_type = 'credit_note' then 0
                else i.total_amount - i.credit_applied - coalesce((select sum(p.amount) from invoice_payments p
                  where p.tenant = i.tenant and p.invoice_id = i.invoice_id), 0) end as left_to_pay
            from invoices i where i.finalized_at is not null`,
    reads: {
      invoices: [
        ...[
          'tenant',
          'invoice_id',
          'client_id',
          'invoice_number',
          'invoice_date',
          'due_date',
          'status',
          'currency_code',
        ],
        ...['subtotal', 'total_amount', 'po_number', 'invoice_type', 'credit_applied', 'finalized_at'],
      ],
      invoice_payments: ['tenant', 'invoice_id', 'amount'],
    },
    id: 'invoice_id',
    client: 'client_id',
    workspace: 'tenant',
    currency: 'currency_code',
    inCents: true,
    status: {
      column: 'status',
      words: {
        sent: 'open',
        overdue: 'open',
        pending: 'open',
        prepayment: 'open',
        partially_applied: 'open',
        Unpaid: 'open',
        paid: 'paid',
        cancelled: 'cancelled',
      },
      draft: ['draft'],
    },
    number: 'invoice_number',
    sentOn: 'invoice_date',
    dueOn: 'due_date',
    net: 'subtotal',
    total: 'total_amount',
    balance: 'left_to_pay',
    orderNumber: 'po_number',
    lines: {
      table: 'invoice_charges',
      id: 'item_id',
      of: 'invoice_id',
      order: ['created_at', 'item_id'],
      title: 'description',
      quantity: 'quantity',
      price: 'unit_price',
      total: 'net_amount',
    },
    // Credit that was taken from it; and of a credit note, that its whole amount is kept as credit for others.
    creditNotes: {
      query: `select a.allocation_id as id, a.invoice_id, coalesce(o.invoice_number, '') as number, a.created_at,
                t.description, a.amount
              from credit_allocations a
                left join transactions t on t.transaction_id = a.transaction_id
                left join transactions s on s.transaction_id = t.related_transaction_id
                left join invoices o on o.invoice_id = s.invoice_id
              union all
              select i.invoice_id, i.invoice_id, i.invoice_number, i.invoice_date, null, i.total_amount
              from invoices i where i.invoice_type = 'credit_note'`,
      reads: {
        credit_allocations: ['allocation_id', 'invoice_id', 'transaction_id', 'created_at', 'amount'],
        transactions: ['transaction_id', 'related_transaction_id', 'invoice_id', 'description'],
        invoices: ['invoice_id', 'invoice_number', 'invoice_date', 'total_amount', 'invoice_type'],
      },
      invoice: 'invoice_id',
      number: 'number',
      on: 'created_at',
      reason: 'description',
      total: 'amount',
    },
  },
  payments: {
    table: 'invoice_payments',
    id: 'payment_id',
    client: 'invoice_id > invoices(invoice_id).client_id',
    workspace: 'tenant',
    currency: 'invoice_id > invoices(invoice_id).currency_code',
    inCents: true,
    on: 'payment_date',
    amount: 'amount',
    method: {
      column: 'payment_method',
      words: {
        bank_transfer: 'bank transfer',
        credit_card: 'card',
        stripe: 'card',
        stripe_refund: 'card',
        check: 'cheque',
        cash: 'cash',
      },
    },
    reference: 'reference_number',
    invoice: 'invoice_id',
  },
  // What is visible to clients, of the client itself and of its tickets, contracts and project tasks.
  documents: {
    query: `select d.tenant, o.client_id, d.document_id::text || '-' || o.client_id::text as shared_id,
              coalesce(nullif(f.original_name, ''), d.document_name) as name, d.folder_path,
              coalesce(f.mime_type, d.mime_type) as mime_type, coalesce(f.file_size, d.file_size) as file_size,
              d.entered_at, concat_ws(' ', u.first_name, u.last_name) as entered_by, f.storage_path, d.content
            from documents d
              left join external_files f on f.tenant = d.tenant and f.file_id = d.file_id and f.is_deleted is not true
              left join users u on u.tenant = d.tenant and u.user_id = d.user_id
              join (
                select a.tenant, a.document_id, a.entity_id as client_id
                from document_associations a where a.entity_type = 'client'
                union
                select a.tenant, a.document_id, t.client_id
                from document_associations a join tickets t on t.tenant = a.tenant and t.ticket_id = a.entity_id
                where a.entity_type = 'ticket'
                union
                select a.tenant, a.document_id, c.client_id
                from document_associations a
                  join client_contracts c on c.tenant = a.tenant and c.contract_id = a.entity_id
                where a.entity_type = 'contract'
                union
                select a.tenant, a.document_id, p.client_id
                from document_associations a
                  join project_tasks k on k.tenant = a.tenant and k.task_id = a.entity_id
                  join project_phases s on s.tenant = k.tenant and s.phase_id = k.phase_id
                  join projects p on p.tenant = s.tenant and p.project_id = s.project_id
                where a.entity_type = 'project_task') o on o.tenant = d.tenant and o.document_id = d.document_id
            where d.is_client_visible and (f.file_id is not null or d.content <> '')`,
    reads: {
      documents: [
        ...['tenant', 'document_id', 'document_name', 'file_id', 'user_id', 'entered_at', 'folder_path'],
        ...['mime_type', 'file_size', 'content', 'is_client_visible'],
      ],
      external_files: [
        ...['tenant', 'file_id', 'original_name', 'mime_type', 'file_size', 'storage_path', 'is_deleted'],
      ],
      document_associations: ['tenant', 'document_id', 'entity_id', 'entity_type'],
      users: ['tenant', 'user_id', 'first_name', 'last_name'],
      tickets: ['tenant', 'ticket_id', 'client_id'],
      client_contracts: ['tenant', 'contract_id', 'client_id'],
      project_tasks: ['tenant', 'task_id', 'phase_id'],
      project_phases: ['tenant', 'phase_id', 'project_id'],
      projects: ['tenant', 'project_id', 'client_id'],
    },
    id: 'shared_id',
    client: 'client_id',
    workspace: 'tenant',
    name: 'name',
    folder: 'folder_path',
    type: 'mime_type',
    size: 'file_size',
    sharedOn: 'entered_at',
    by: 'entered_by',
    // Its STORAGE_LOCAL_BASE_PATH, as this machine sees it.
    under: ALGA_FILES ?? '/var/lib/alga-psa/files',
    path: 'storage_path',
    text: 'content',
  },
  // Its own pages, for links in the settings and in mails to staff.
  pages: {
    base: '{env ALGA_URL}',
    clients: '/msp/clients/{id}',
    contacts: '/msp/contacts/{id}',
    quotations: '/msp/billing?tab=quotes&quoteId={id}&mode=detail',
    invoices: '/msp/billing?tab=invoicing&subtab=finalized&invoiceId={id}',
  },
})
