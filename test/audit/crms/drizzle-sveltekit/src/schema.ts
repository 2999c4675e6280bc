export const customers = pgTable('customers', { id: serial('id').primaryKey(), name: text('name') })
export const tickets = pgTable('tickets', { id: serial('id'), customerId: integer('customer_id').references(() => customers.id), subject: text('subject'), status: text('status', { enum: ['open', 'closed'] }) })
export const ticketReplies = pgTable('ticket_replies', { id: serial('id'), ticketId: integer('ticket_id').references(() => tickets.id), body: text('body') })
export const portalSessions = pgTable('portal_sessions', { id: text('id'), customerId: integer('customer_id').references(() => customers.id), loginCode: text('login_code') })
