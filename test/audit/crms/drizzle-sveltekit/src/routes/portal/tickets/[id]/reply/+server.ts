export async function POST({ locals, params, request }) {
  const customerId = locals.portal.customerId
  return json(await db.insert(ticketReplies).values({ ticketId: params.id, customerId, body: await request.text() }))
}
