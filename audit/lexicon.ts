import { anyName, anyPart, anyWord, either } from './patterns.ts'

/** The words of the trade, singular, in seven languages (`docs/audit.md`). The best comes first. */
export const entities = {
  tenants:
    'tenant workspace organization organisation org company team agency firm business entreprise empresa firma azienda mandant site account',
  staff_users:
    'user staff staff_user employee member admin utilisateur usuario benutzer utente usuario_sistema mitarbeiter profile auth_user res_user kullanici kullanicilar',
  clients:
    'client customer cliente kunde societe thirdparty tiers debtor partner res_partner account company organization business crm_company customer_account musteri musteriler',
  contacts:
    'contact client_contact customer_contact contact_person contacto contato contatto kontakt ansprechpartner socpeople person people',
  proposals: 'proposal propal proposition propuesta vorschlag proposta sales_proposal business_proposal',
  quotations:
    'quotation quote estimate devis offer offre cotizacion presupuesto angebot offerte orcamento preventivo sales_quote price_quote sale_order aos_quote teklif teklifler',
  invoices:
    'invoice facture factura rechnung fatura fattura sales_invoice customer_invoice client_invoice account_move aos_invoice bill faturalar',
  payments:
    'payment paiement pago zahlung pagamento payment_entry invoice_payment customer_payment receipt transaction account_payment odeme odemeler',
  tasks: 'task tarea aufgabe tarefa tache attivita todo to_do project_task actioncomm todo_item gorev gorevler',
  projects: 'project projet proyecto projekt projeto progetto job project_project board proje projeler',
  documents:
    'document file attachment upload media documento dokument datei fichier adjunto anhang ir_attachment note_file anexo archivo belge belgeler dosya dosyalar',
  messages:
    'message comment reply conversation chat_message nachricht mensaje mensagem messaggio commentaire comentario kommentar mail_message ticket_message ticket_reply ticket_comment ticket_note mesaj mesajlar yorum yorumlar note',
  tickets:
    'ticket case issue support_ticket support_case helpdesk_ticket incident incidencia anfrage service_request repair_order support_request chamado destek_talebi',
  orders:
    'order sales_order customer_order commande pedido bestellung auftrag ordine encomenda sale_order siparis siparisler',
  activity:
    'activity activity_log audit_log event_log activity_feed audit activities_log history log audit_trail event timeline',
} as const

export type Entity = keyof typeof entities

export const wordsOf = (entity: Entity): string[] => entities[entity].split(' ')

/** In addresses, names of handlers and code: which document is meant. */
export const documentWords = {
  proposals: anyWord('proposals? propals? propositions? propuestas? vorschl(ag|aege) propostas? proposte'),
  quotations: anyWord(
    'quot(e|es|ation|ations) estimates? estimations? devis offers? offres? presupuestos? cotizacion(es)? angebote?',
    'offert[ei] orcamentos? preventiv[oi] teklif(ler)?',
  ),
  invoices: anyWord('invoices? factures? facturas? rechnung(en)? faturas? fattur[ae] faturalar bills?'),
  tasks: anyWord('tasks? todos? tareas? aufgaben? tarefas? taches? attivita gorev(ler)?'),
  documents: anyWord(
    'documents? files? attachments? uploads? documentos? dokumente? dateien? fichiers? archivos? arquivos? allegat[oi] anexos? belge(ler)? dosya(lar)?',
    /shared files/,
  ),
  messages: anyWord(
    'messages? comments? commentaires? repl(y|ies) conversations? chats? discussions? mensajes? mensagens?',
    'messagg[io] mensagem nachrichten? kommentare? comentarios? mesaj(lar)? yorum(lar)? notes?',
  ),
  tickets: anyWord('tickets? cases? issues?', /support requests?/, 'incidents? incidencias? chamados?'),
  projects: anyWord('projects? projets? proyectos? projekte? projetos? progetti? proje(ler)?'),
  orders: anyWord('orders? commandes? pedidos? bestellungen? auftr(ag|aege) ordini? siparis(ler)?'),
} as const

export type DocumentKind = keyof typeof documentWords

/** Accepting, signing or rejecting a document. */
export const acceptance = anyWord(
  /accept\w*|approv\w*/,
  'sign signed signature',
  /e ?sign\w*|sign(ing)?/,
  /reject\w*|declin\w*|refus\w*/,
  'confirm accepter aceptar aprobar rechazar annehmen ablehnen',
  /unterschr\w+/,
  'aceitar aprovar',
  'aceite assinar recusar rejeitar firmar aprobacion signer approuver refuser',
  /accetta\w*|rifiuta\w*|genehmig\w*|zustimm\w*|onayla\w*|kabul|reddet\w*|imzala\w*/,
  'onlinesign respond',
)

/** An address that sets a document's status, which is how some APIs take an acceptance. */
export const statusAddress = /\/(status|state|estado|situacao|statut|stato|zustand|durum)$/i

/** Paying a document. */
export const payment = anyWord(
  'pay pays paid payments? checkout paiements? payer pago pagar pagos',
  /zahlung\w*|bezahl\w*/,
  'pagamento pagamenti paga ode odeme',
  /process payment/,
)

/** A person of the client's side, as guards, tables and columns name them. */
export const clientSide = anyPart(
  'client customer contact portal guest kunde cliente societe partner debtor buyer visitor patron musteri',
)

const softwareClient = either(
  /api[_-]?client/,
  /http[_-]?client/,
  /client[_-]?(id|secret|app|application|token|key|credential|ip|side|version|hint)s?\b/,
)
const contactForm = /contact[_-]?(form|us|list|request|submission|enrich)/

/** A name that contains a word of the client's side and means something else. */
export const notClientSide = anyPart(
  'vendor supplier oauth',
  softwareClient,
  contactForm,
  /partner[_-]?app/,
  'staff admin employee subscriber',
)

const namedPortal = /(client|customer|customers|clients|my|user|kunden|web|self)[-_]?portal\w*/
const namedArea = either(
  /espace[-_]client/,
  'kundenportal kundenbereich',
  /area[-_](de[-_])?client[ei]s?/,
  /area[-_]clienti|zona[-_](de[-_])?clientes?|musteri[-_](portali|paneli)/,
  /client[-_]?(area|zone|space|access|view|dashboard)/,
  /customer[-_]?(area|zone|space|access|view|dashboard)/,
)

/** A part of an address that is for clients, whoever guards it. */
export const strongArea = anyName(namedPortal, 'portal portail portale guest', namedArea, 'my')

/** A part of an address that is for clients unless staff stand behind it. */
export const weakArea = /^(client|customer|kunde|cliente)$/i

const passwords = either(
  'password passwd passcode pwd password_?hash hashed_?password encrypted_?password password_?digest',
  /pass_(crypted|encoding|indatabase)\w*|pass_?phrase(_?hash)?/,
  /(senha|palavra_?passe|contrase(n|ñ)a|kennwort|passwort|mot_?de_?passe|sifre)(_?hash)?/,
)
const oneTimeCodes = either(
  // A pin alone may be the number of a person's identity card.
  /(?<=_)pin/,
  'pin_?(hash|code) otp otp_?(code|hash|secret) login_?(code|token)',
  /magic_?(link|token)\w*/,
  'remember_?token',
)

/** A column that proves who somebody is. */
export const credential = new RegExp(`^(\\w*_)?(${passwords.source}|${oneTimeCodes.source})$`, 'i')

const tokensOfLinks = either(
  'public_?(token|key|hash|id|slug|link|url) url_?key uuid share_?(token|key|hash|link|id|code) sharing_?token',
  'access_?(token|key|hash) secure_?key token token_?hash tracking_?token approval_?token sign_?token view_?token',
)
const tokensOfInvitations = 'invitation_?key|invite_?(token|key|code)'
const plainHashes = 'unique_?hash|hash|hash_?key|secret_?key'
const tokensOfClients = either(
  'contact_?key client_?(key|hash|token) portal_?(token|key|hash) access_?code guest_?(token|key) customer_?token',
)

/** What a client types to sign in, as code names it. */
export const typedCredential = anyPart(
  'password otp one.?time magic passcode pass_?phrase senha palavra_?passe contrase(n|ñ)a kennwort passwort',
  /\bpin\b|mot_?de_?passe|sifre/,
  /(customer|client|guest|kunden|cliente)_?(code|pin|token)|codigo_?(de_?)?cliente/,
)

/** A column whose value opens something for whoever knows it. */
export const tokenName = new RegExp(
  `^(\\w*_)?(${tokensOfLinks.source}|${tokensOfInvitations}|${plainHashes}|${tokensOfClients.source})$`,
  'i',
)

const parametersOfTokens = either(
  'token key hash secret signature uuid',
  /invitation\w*|invite\w*/,
  'access code shortcode',
  /share\w*|public\w*|magic\w*|uniq\w*/,
  /(link|short|portal)_?id/,
)

/** A parameter of an address that stands for possession. */
export const tokenParameter = new RegExp(`^(\\w*[_-]?)?(${parametersOfTokens.source})$`, 'i')
