import { defineMap } from '../../../src/index.ts'

/** Its documented API, as `ODOO_URL` with a key of a user of its own in `ODOO_API_KEY`. */
const odoo = (method: string, body: object) => ({
  url: `{env ODOO_URL}/json/2/${method}`,
  headers: { Authorization: 'bearer {env ODOO_API_KEY}' },
  body,
  numericIds: true,
  conflicts: [404],
})

/** Its wizard that registers payments: 422 is one that does not fit. */
const payment = (method: string, body: object) => ({
  ...odoo(`account.payment.register/${method}`, body),
  numericAmounts: true,
  conflicts: [422],
})

/** Odoo 19 Community: its companies are workspaces, its commercial partners clients. In your own folder import from 'portico'. */
export default defineMap({
  workspaces: {
    table: 'res_company',
    slug: { madeOf: 'name' },
    name: 'name',
    letterhead: [
      'name',
      'partner_id > res_partner.street',
      'partner_id > res_partner.street2',
      ['partner_id > res_partner.zip', 'partner_id > res_partner.city'],
      { column: 'partner_id > res_partner.vat', prefix: 'VAT ' },
    ],
    colour: 'primary_color',
    timeZone: 'partner_id > res_partner.tz',
    logo: 'logo_web',
  },
  clients: {
    table: 'res_partner',
    name: 'name',
    address: ['name', 'street', 'street2', ['zip', 'city']],
    deleted: { column: 'active', when: false },
  },
  contacts: {
    table: 'res_partner',
    client: 'commercial_partner_id',
    name: 'name',
    email: 'email',
    language: 'lang',
    only: { type: ['contact', null] },
    deleted: { column: 'active', when: false },
  },
  quotations: {
    table: 'sale_order',
    client: 'partner_id > res_partner.commercial_partner_id',
    workspace: 'company_id',
    currency: 'currency_id > res_currency.name',
    status: { column: 'state', words: { sent: 'open', sale: 'accepted', cancel: 'declined' }, draft: ['draft'] },
    number: 'name',
    sentOn: 'date_order',
    validUntil: 'validity_date',
    net: 'amount_untaxed',
    total: 'amount_total',
    terms: { column: 'note', html: true },
    contact: 'partner_id > res_partner.name',
    owner: 'user_id > res_users.partner_id > res_partner.name',
    ownerEmail: 'user_id > res_users.partner_id > res_partner.email',
    respondedOn: 'signed_on',
    respondedBy: 'signed_by',
    // What was invoiced is paid by its invoice.
    downPayment: {
      fraction: 'prepayment_percent',
      only: { require_payment: [true], invoice_status: ['no', 'to invoice'] },
    },
    // By its own API, so that its own code runs: an order is confirmed as if somebody had pressed the button.
    responses: {
      off: !process.env.ODOO_URL || !process.env.ODOO_API_KEY,
      accepted: {
        call: [
          odoo('sale.order/write', {
            ids: ['{id}'],
            vals: { signed_by: '{name}', signed_on: '{utc}', client_order_ref: '{order number}' },
          }),
          odoo('sale.order/action_confirm', { ids: ['{id}'] }),
        ],
      },
      declined: {
        call: [
          odoo('sale.order/action_cancel', { ids: ['{id}'] }),
          odoo('sale.order/message_post', {
            ids: ['{id}'],
            body: '{name}: {reason}',
            message_type: 'comment',
            subtype_xmlid: 'mail.mt_comment',
          }),
        ],
      },
    },
    lines: {
      table: 'sale_order_line',
      of: 'order_id',
      order: ['sequence', 'id'],
      headings: { display_type: ['line_section', 'line_subsection'] },
      except: { display_type: ['line_note'] },
      title: 'name',
      quantity: 'product_uom_qty',
      price: 'price_unit',
      discount: 'discount',
      total: 'price_subtotal',
    },
  },
  invoices: {
    table: 'account_move',
    only: { move_type: ['out_invoice'] },
    client: 'commercial_partner_id',
    workspace: 'company_id',
    currency: 'currency_id > res_currency.name',
    status: { column: 'state', words: { posted: 'open', cancel: 'cancelled' }, draft: ['draft'] },
    number: 'name',
    title: { first: ['ref', 'name'] },
    sentOn: 'invoice_date',
    dueOn: 'invoice_date_due',
    net: 'amount_untaxed',
    total: 'amount_total',
    balance: 'amount_residual',
    orderNumber: 'ref',
    reference: 'payment_reference',
    contact: 'partner_id > res_partner.name',
    lines: {
      table: 'account_move_line',
      of: 'move_id',
      order: ['sequence', 'id'],
      only: { display_type: ['product', 'line_section', 'line_subsection'] },
      headings: { display_type: ['line_section', 'line_subsection'] },
      title: 'name',
      quantity: 'quantity',
      price: 'price_unit',
      discount: 'discount',
      total: 'price_subtotal',
    },
    creditNotes: {
      table: 'account_move',
      only: { move_type: ['out_refund'], state: ['posted'] },
      invoice: 'reversed_entry_id',
      number: 'name',
      on: 'invoice_date',
      reason: 'ref',
      total: 'amount_total',
    },
  },
  payments: {
    table: 'account_payment',
    only: { payment_type: ['inbound'], state: ['in_process', 'paid'] },
    client: 'partner_id > res_partner.commercial_partner_id',
    workspace: 'company_id',
    currency: 'currency_id > res_currency.name',
    on: 'date',
    amount: 'amount',
    reference: 'memo',
    // By its own wizard, one payment for each invoice, so that its own code runs: entry, reconciliation, status.
    record: {
      off: !process.env.ODOO_URL || !process.env.ODOO_API_KEY || !process.env.ODOO_JOURNAL,
      key: 'memo',
      call: [
        payment('create', {
          context: { active_model: 'account.move', active_ids: ['{id}'] },
          vals_list: {
            amount: '{amount}',
            currency_id: '{currency id}',
            payment_date: '{on}',
            journal_id: '{env ODOO_JOURNAL}',
            communication: '{key}',
            payment_difference_handling: 'open',
            // Also where it is due in instalments: one payment, of this amount.
            group_payment: true,
          },
        }),
        payment('action_create_payments', { ids: ['{answer}'] }),
      ],
    },
    // Which part of a payment went to which invoice stands between the lines of their two ledger entries.
    invoice: {
      query: `select r.id, p.id as payment_id, i.move_id as invoice_id, r.debit_amount_currency as amount
              from account_partial_reconcile r join account_move_line i on i.id = r.debit_move_id
                join account_move_line c on c.id = r.credit_move_id join account_payment p on p.move_id = c.move_id`,
      reads: {
        account_partial_reconcile: ['id', 'debit_move_id', 'credit_move_id', 'debit_amount_currency'],
        account_move_line: ['id', 'move_id'],
        account_payment: ['id', 'move_id'],
      },
      payment: 'payment_id',
      invoice: 'invoice_id',
      amount: 'amount',
    },
  },
  // Portal users, in each company that they may see.
  identity: {
    query: `
      select u.id, c.cid as company_id, u.login, u.password
      from res_users u join res_company_users_rel c on c.user_id = u.id
      where u.active and u.share`,
    reads: {
      res_users: ['id', 'login', 'password', 'active', 'share'],
      res_company_users_rel: ['cid', 'user_id'],
    },
    workspace: 'company_id',
    email: 'login',
    password: 'password',
  },
  // Internal users; those who may change Odoo's settings administer the portal.
  staff: {
    query: `
      select u.id, c.cid as company_id, u.login, u.password, p.name, exists (
        select from res_groups_users_rel g join ir_model_data d on d.res_id = g.gid
        where g.uid = u.id and d.model = 'res.groups' and d.module = 'base' and d.name = 'group_system') as is_admin
      from res_users u join res_company_users_rel c on c.user_id = u.id join res_partner p on p.id = u.partner_id
      where u.active and not u.share`,
    reads: {
      res_users: ['id', 'login', 'password', 'active', 'share', 'partner_id'],
      res_company_users_rel: ['cid', 'user_id'],
      res_partner: ['id', 'name'],
      res_groups_users_rel: ['gid', 'uid'],
      ir_model_data: ['res_id', 'model', 'module', 'name'],
    },
    workspace: 'company_id',
    name: 'name',
    email: 'login',
    password: 'password',
    admin: 'is_admin',
  },
  // The address of its own mails, which leads to a record in the app and company that has it.
  pages: {
    base: '{env ODOO_URL}',
    clients: '/mail/view?model=res.partner&res_id={id}',
    contacts: '/mail/view?model=res.partner&res_id={id}',
    quotations: '/mail/view?model=sale.order&res_id={id}',
    invoices: '/mail/view?model=account.move&res_id={id}',
    payments: '/mail/view?model=account.payment&res_id={id}',
  },
})
