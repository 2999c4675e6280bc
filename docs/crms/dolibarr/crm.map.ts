import { defineMap } from '../../../src/index.ts'

const { DOLIBARR_URL, DOLIBARR_API_KEY, DOLIBARR_BANK_ACCOUNT, DOLIBARR_DOCUMENTS } = process.env

/** Its REST API with the key of a user of its own: `DOLIBARR_URL`, without `/api`, and `DOLIBARR_API_KEY`. */
const api = (path: string, body: object) => ({
  url: `{env DOLIBARR_URL}/api/index.php/${path}`,
  headers: { DOLAPIKEY: '{env DOLIBARR_API_KEY}' },
  body,
  // Dolibarr shows notes as HTML.
  escape: 'html' as const,
  check: '{env DOLIBARR_URL}/api/index.php/status',
})

const close = (status: 2 | 3, note: string) => api('proposals/{id}/close', { status, note_private: note })

/** The PDF that Dolibarr made itself, where its folder `documents` can be read from here. */
const file = DOLIBARR_DOCUMENTS ? { file: { under: DOLIBARR_DOCUMENTS, path: 'last_main_doc' } } : {}

/** The company's own. */
const companyCurrency = 'EUR'

/** Amounts are those of the document's own currency, as on paper: without the module they are the company's. */
const currency = { first: ['multicurrency_code', { value: companyCurrency }] }

/** Words before a number, in the language that Dolibarr prints for this client. */
const inLanguage = (english: string, french: string) =>
  `case when s.default_lang like 'en%' then '${english} ' else '${french} ' end`

/**
 * Lines as Dolibarr prints them: a product by its reference and translated name, a discount by the document that it
 * comes from, a service with its period.
 */
const lines = (table: 'llx_propaldet' | 'llx_facturedet', document: 'llx_propal' | 'llx_facture', of: string) => ({
  query: `
    select d.rowid, d.${of}, d.rang, d.qty, d.multicurrency_subprice, d.remise_percent, d.tva_tx, d.multicurrency_total_ht,
      d.special_code = 3 as is_option, d.special_code <> 3 or d.qty > 0 as is_chosen,
      coalesce(it.label, it.words) as title, case when it.label is not null then nullif(it.words, it.label) end as details,
      '(' || nullif(concat_ws(' – ', to_char(d.date_start, 'DD/MM/YYYY'), to_char(d.date_end, 'DD/MM/YYYY')), '') || ')' as period
    from ${table} d
      join ${document} doc on doc.rowid = d.${of}
      join llx_societe s on s.rowid = doc.fk_soc
      left join llx_product p on p.rowid = d.fk_product
      left join llx_product_lang t on t.fk_product = p.rowid and t.lang = s.default_lang
      left join llx_societe_remise_except r on r.rowid = d.fk_remise_except
      left join llx_facture f on f.rowid = r.fk_facture_source
      cross join lateral (
        select
          case when p.rowid is null then nullif(d.label, '')
            else concat_ws(' - ', nullif(p.ref, ''), nullif(coalesce(nullif(t.label, ''), p.label), '')) end as label,
          case d.description
            when '(DEPOSIT)' then ${inLanguage('Deposit from invoice', 'Acomptes issus de la facture')} || f.ref
            when '(CREDIT_NOTE)' then ${inLanguage('Discount from credit note', "Remise issue de l''avoir")} || f.ref
            when '(EXCESS RECEIVED)' then ${inLanguage('Excess received on', 'Trop-perçu de la facture')} || f.ref
            when p.description then coalesce(nullif(t.description, ''), p.description)
            else d.description end as words
      ) it`,
  reads: {
    [table]: [
      ...['rowid', of, 'fk_product', 'fk_remise_except', 'label', 'description', 'date_start', 'date_end', 'rang'],
      ...['qty', 'multicurrency_subprice', 'remise_percent', 'tva_tx', 'multicurrency_total_ht'],
      'special_code',
    ],
    [document]: ['rowid', 'fk_soc'],
    llx_societe: ['rowid', 'default_lang'],
    llx_product: ['rowid', 'ref', 'label', 'description'],
    llx_product_lang: ['fk_product', 'lang', 'label', 'description'],
    llx_societe_remise_except: ['rowid', 'fk_facture_source'],
    llx_facture: ['rowid', 'ref', ...(document === 'llx_facture' ? ['fk_soc'] : [])],
  },
  id: 'rowid',
  of,
  order: ['rang', 'rowid'],
  title: { column: 'title', html: true },
  details: [{ column: 'details', html: true }, 'period'],
  quantity: 'qty',
  price: 'multicurrency_subprice',
  discount: 'remise_percent',
  tax: 'tva_tx',
  total: 'multicurrency_total_ht',
  optional: 'is_option',
  chosen: 'is_chosen',
})

/** Dolibarr 20 on PostgreSQL: its entities are workspaces, third parties clients. In your own folder import from 'portico'. */
export default defineMap({
  // The time zone of the server that Dolibarr runs on: it writes its dates in it.
  timestamps: 'Europe/Paris',
  workspaces: {
    query: `
      select entity as id,
        max(value) filter (where name = 'MAIN_INFO_SOCIETE_NOM') as name,
        max(value) filter (where name = 'MAIN_INFO_SOCIETE_ADDRESS') as address,
        max(value) filter (where name = 'MAIN_INFO_SOCIETE_ZIP') as zip,
        max(value) filter (where name = 'MAIN_INFO_SOCIETE_TOWN') as town,
        max(value) filter (where name = 'MAIN_INFO_TVAINTRA') as vat
      from llx_const where entity > 0 group by entity
      having max(value) filter (where name = 'MAIN_INFO_SOCIETE_NOM') <> ''`,
    reads: { llx_const: ['entity', 'name', 'value'] },
    slug: { madeOf: 'name' },
    name: 'name',
    letterhead: ['name', 'address', ['zip', 'town'], { column: 'vat', prefix: 'TVA ' }],
    timeZone: { value: 'Europe/Paris' },
  },
  clients: {
    table: 'llx_societe',
    id: 'rowid',
    workspace: 'entity',
    name: 'nom',
    address: ['nom', 'address', ['zip', 'town']],
    // Customers and prospects, as long as they are not closed.
    only: { client: [1, 2, 3], status: [1] },
  },
  contacts: {
    table: 'llx_socpeople',
    id: 'rowid',
    client: 'fk_soc',
    name: ['firstname', 'lastname'],
    email: 'email',
    language: 'default_lang',
    only: { statut: [1] },
  },
  proposals: {
    table: 'llx_propal',
    id: 'rowid',
    client: 'fk_soc',
    workspace: 'entity',
    currency,
    status: {
      column: 'fk_statut',
      words: { '-1': 'withdrawn', 1: 'open', 2: 'accepted', 3: 'declined', 4: 'accepted' },
      draft: ['0'],
    },
    number: 'ref',
    title: { first: ['ref_client', 'ref'] },
    sentOn: 'datep',
    validUntil: 'fin_validite',
    net: 'multicurrency_total_ht',
    total: 'multicurrency_total_ttc',
    terms: { column: 'note_public', html: true },
    owner: ['fk_user_author > llx_user(rowid).firstname', 'fk_user_author > llx_user(rowid).lastname'],
    ownerEmail: 'fk_user_author > llx_user(rowid).email',
    respondedOn: 'date_signature',
    // Of one that was billed (4), the invoice is paid.
    downPayment: { percent: 'deposit_percent', only: { fk_statut: [1, 2] } },
    // By its own API, so that its own code runs: agenda, PDF, a prospect becomes a customer.
    responses: {
      off: !DOLIBARR_URL || !DOLIBARR_API_KEY,
      accepted: { call: close(2, 'Accepted by {name} ({email}). {note}') },
      declined: { call: close(3, 'Declined by {name} ({email}). {note}') },
    },
    lines: lines('llx_propaldet', 'llx_propal', 'fk_propal'),
    ...file,
  },
  invoices: {
    table: 'llx_facture',
    id: 'rowid',
    client: 'fk_soc',
    workspace: 'entity',
    currency,
    status: { column: 'fk_statut', words: { 1: 'open', 2: 'paid', 3: 'cancelled' }, draft: ['0'] },
    number: 'ref',
    title: { first: ['ref_client', 'ref'] },
    sentOn: 'datef',
    dueOn: 'date_lim_reglement',
    net: 'multicurrency_total_ht',
    total: 'multicurrency_total_ttc',
    balance: 'payments',
    closedOn: 'date_closing',
    cumulative: { type: [5] },
    orderNumber: 'ref_client',
    remarks: { column: 'note_public', html: true },
    lines: lines('llx_facturedet', 'llx_facture', 'fk_facture'),
    // Credit notes, deposits and excess payments that were used for this invoice.
    creditNotes: {
      table: 'llx_societe_remise_except',
      id: 'rowid',
      invoice: 'fk_facture',
      number: 'fk_facture_source > llx_facture(rowid).ref',
      on: 'datec',
      total: 'multicurrency_amount_ttc',
    },
    credit: {
      table: 'llx_societe_remise_except',
      id: 'rowid',
      client: 'fk_soc',
      workspace: 'entity',
      currency,
      amount: 'multicurrency_amount_ttc',
      only: { fk_facture: [null], fk_facture_line: [null], discount_type: [0] },
    },
    ...file,
  },
  payments: {
    table: 'llx_paiement',
    id: 'rowid',
    client: 'rowid > llx_paiement_facture(fk_paiement).fk_facture > llx_facture(rowid).fk_soc',
    workspace: 'entity',
    currency: { value: companyCurrency },
    on: 'datep',
    // Of one transfer for several clients each is told their own part.
    amount: 'parts',
    method: {
      column: 'fk_paiement > llx_c_paiement.code',
      words: { VIR: 'bank transfer', CB: 'card', PRE: 'direct debit', IDE: 'ideal', LIQ: 'cash', CHQ: 'cheque' },
    },
    reference: 'num_paiement',
    invoice: {
      table: 'llx_paiement_facture',
      id: 'rowid',
      payment: 'fk_paiement',
      invoice: 'fk_facture',
      amount: 'multicurrency_amount',
    },
    // By its own API, so that its own code runs: the bank's line, the status of each invoice, a deposit becomes a discount.
    record: {
      off: !DOLIBARR_URL || !DOLIBARR_API_KEY || !DOLIBARR_BANK_ACCOUNT,
      key: 'ref_ext',
      methods: { card: 'CB', 'direct debit': 'PRE', ideal: 'IDE', 'bank transfer': 'VIR', other: 'VAD' },
      call: {
        ...api('invoices/paymentsdistributed', {
          arrayofamounts: '{shares}',
          // It reads a time as UTC: at noon it is the same day at the server.
          datepaye: '{on} 12:00:00',
          paymentid: '{method id}',
          accountid: '{env DOLIBARR_BANK_ACCOUNT}',
          closepaidinvoices: 'yes',
          num_payment: '{reference}',
          ref_ext: '{key}',
          comment: '{payer}',
        }),
        numericIds: true,
      },
      // In the company's currency without the module for others, which Dolibarr would not read then.
      share: ({ id, amount: { amount, currency } }) => ({
        [id]:
          currency === companyCurrency
            ? { amount, multicurrency_amount: '' }
            : { amount: '', multicurrency_amount: amount },
      }),
    },
  },
  // Accounts of Dolibarr's own web portal whose login is an e-mail address, or else that of the third party.
  identity: {
    query: `
      select a.rowid, s.entity, a.pass_crypted as password,
        case when a.login like '%@%' then a.login else s.email end as email
      from llx_societe_account a join llx_societe s on s.rowid = a.fk_soc
      where a.status = 1 and a.site = 'dolibarr_portal'`,
    reads: {
      llx_societe_account: ['rowid', 'fk_soc', 'login', 'pass_crypted', 'status', 'site'],
      llx_societe: ['rowid', 'entity', 'email'],
    },
    id: 'rowid',
    workspace: 'entity',
    email: 'email',
    password: 'password',
  },
  // Users of entity 0 are of all.
  staff: {
    query: `
      select u.rowid, c.entity, u.email, u.pass_crypted as password, u.admin = 1 as is_admin,
        concat_ws(' ', u.firstname, u.lastname) as name
      from llx_user u join llx_const c on c.name = 'MAIN_INFO_SOCIETE_NOM' and c.entity > 0 and u.entity in (0, c.entity)
      where u.statut = 1`,
    reads: {
      llx_user: ['rowid', 'entity', 'email', 'pass_crypted', 'admin', 'firstname', 'lastname', 'statut'],
      llx_const: ['name', 'entity'],
    },
    id: 'rowid',
    workspace: 'entity',
    name: 'name',
    email: 'email',
    password: 'password',
    admin: 'is_admin',
  },
  // Its cards, for links in the settings and in mails to staff.
  pages: {
    base: '{env DOLIBARR_URL}',
    clients: '/societe/card.php?socid={id}',
    contacts: '/contact/card.php?id={id}',
    proposals: '/comm/propal/card.php?id={id}',
    invoices: '/compta/facture/card.php?id={id}',
    payments: '/compta/paiement/card.php?id={id}',
  },
})
