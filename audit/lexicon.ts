/** The words of the trade, singular, in English, French, Spanish, German, Portuguese and Italian. The best comes first. */
export const entities = {
  tenants:
    'tenant workspace organization organisation org company team agency firm business entreprise empresa firma azienda mandant site account',
  staff_users:
    'user staff staff_user employee member admin utilisateur usuario benutzer utente usuario_sistema mitarbeiter profile auth_user res_user',
  clients:
    'client customer cliente kunde societe thirdparty tiers debtor partner res_partner account company organization business crm_company customer_account',
  contacts:
    'contact client_contact customer_contact contact_person contacto contato contatto kontakt ansprechpartner socpeople person people',
  proposals: 'proposal propal proposition propuesta vorschlag proposta sales_proposal business_proposal',
  quotations:
    'quotation quote estimate devis offer offre cotizacion presupuesto angebot offerte orcamento preventivo sales_quote price_quote sale_order aos_quote',
  invoices:
    'invoice facture factura rechnung fatura fattura sales_invoice customer_invoice client_invoice account_move aos_invoice bill',
  payments:
    'payment paiement pago zahlung pagamento payment_entry invoice_payment customer_payment receipt transaction account_payment',
  tasks: 'task tarea aufgabe tarefa tache attivita todo to_do project_task actioncomm todo_item',
  projects: 'project projet proyecto projekt projeto progetto job project_project board',
  documents:
    'document file attachment upload media documento dokument datei fichier adjunto anhang ir_attachment note_file',
  messages:
    'message comment reply conversation chat_message nachricht mensaje mensagem messaggio commentaire comentario kommentar mail_message ticket_message ticket_reply ticket_comment ticket_note note',
  tickets:
    'ticket case issue support_ticket support_case helpdesk_ticket incident incidencia anfrage service_request repair_order support_request',
  orders: 'order sales_order customer_order commande pedido bestellung auftrag ordine encomenda sale_order',
  activity:
    'activity activity_log audit_log event_log activity_feed audit activities_log history log audit_trail event timeline',
} as const

export type Entity = keyof typeof entities

export const wordsOf = (entity: Entity): string[] => entities[entity].split(' ')

/** In addresses, names of handlers and code: which document is meant. */
export const documentWords = {
  proposals: /\b(proposals?|propals?|propositions?|propuestas?|vorschl(ag|aege)|propostas?|proposte)\b/i,
  quotations:
    /\b(quot(e|es|ation|ations)|estimates?|estimations?|devis|offers?|offres?|presupuestos?|cotizacion(es)?|angebote?|offert[ei]|orcamentos?|preventiv[oi])\b/i,
  invoices: /\b(invoices?|factures?|facturas?|rechnung(en)?|faturas?|fattur[ae]|bills?)\b/i,
  tasks: /\b(tasks?|todos?|tareas?|aufgaben?|tarefas?|taches?|attivita)\b/i,
  documents:
    /\b(documents?|files?|attachments?|uploads?|documentos?|dokumente?|dateien?|fichiers?|archivos?|allegat[oi]|anexos?|shared files)\b/i,
  messages:
    /\b(messages?|comments?|commentaires?|repl(y|ies)|conversations?|chats?|discussions?|mensajes?|mensagens?|messagg[io]|nachrichten?|kommentare?|comentarios?|notes?)\b/i,
  tickets: /\b(tickets?|cases?|issues?|support requests?|incidents?|incidencias?)\b/i,
  projects: /\b(projects?|projets?|proyectos?|projekte?|projetos?|progetti?)\b/i,
  orders: /\b(orders?|commandes?|pedidos?|bestellungen?|auftr(ag|aege)|ordini?)\b/i,
} as const

export type DocumentKind = keyof typeof documentWords

export const acceptance =
  /\b(accept\w*|approv\w*|sign|signed|signature|e ?sign\w*|sign(ing)?|reject\w*|declin\w*|refus\w*|confirm|accepter|aceptar|aprobar|rechazar|annehmen|ablehnen|unterschr\w+|aceitar|aprovar|accetta\w*|rifiuta\w*|onlinesign|respond)\b/i

export const paying =
  /\b(pay|pays|paid|payments?|checkout|paiements?|payer|pago|pagar|pagos|zahlung\w*|bezahl\w*|pagamento|pagamenti|paga|process payment)\b/i

/** A person of the client's side, as guards, tables and columns name them. */
export const clientSide =
  /(client|customer|contact|portal|guest|kunde|cliente|societe|partner|debtor|buyer|visitor|patron)/i

/** What contains such a word and means something else. */
export const notClientSide =
  /(vendor|supplier|oauth|api[_-]?client|http[_-]?client|client[_-]?(id|secret|app|application|token|key|credential|ip|side|version|hint)s?\b|contact[_-]?(form|us|list|request|submission|enrich)|partner[_-]?app|staff|admin|employee|subscriber)/i

/** An address that is meant for clients, whoever guards it. */
export const strongArea =
  /^((client|customer|customers|clients|my|user|kunden|web|self)[-_]?portal\w*|portal|portail|portale|guest|espace[-_]client|kundenportal|kundenbereich|area[-_](de[-_])?client[ei]s?|area[-_]clienti|client[-_]?(area|zone|space|access|view|dashboard)|customer[-_]?(area|zone|space|access|view|dashboard)|my)$/i

/** These are for clients if it is not staff who stands behind them. */
export const weakArea = /^(client|customer|kunde|cliente)$/i

export const credential =
  /^(\w*_)?(password|passwd|passcode|pwd|password_?hash|hashed_?password|encrypted_?password|password_?digest|pass_(crypted|encoding|indatabase)\w*|pin|pin_?(hash|code)|otp|otp_?(code|hash|secret)|login_?(code|token)|magic_?(link|token)\w*|remember_?token)$/i

export const tokenName =
  /^(\w*_)?(public_?(token|key|hash|id|slug|link|url)|url_?key|uuid|share_?(token|key|hash|link|id|code)|sharing_?token|access_?(token|key|hash)|secure_?key|token|token_?hash|tracking_?token|approval_?token|sign_?token|view_?token|invitation_?key|invite_?(token|key|code)|unique_?hash|hash|hash_?key|secret_?key|contact_?key|client_?(key|hash|token)|portal_?(token|key|hash)|access_?code|guest_?(token|key)|customer_?token)$/i

/** A parameter of an address that stands for possession. */
export const tokenParameter =
  /^(\w*[_-]?)?(token|key|hash|secret|signature|uuid|invitation\w*|invite\w*|access|code|shortcode|share\w*|public\w*|magic\w*|uniq\w*|(link|short|portal)_?id)$/i
