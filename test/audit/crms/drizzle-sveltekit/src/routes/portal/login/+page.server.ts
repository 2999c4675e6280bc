export const actions = { default: async ({ request }) => { await db.insert(portalSessions).values({ loginCode: code() }) } }
