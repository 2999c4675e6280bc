import { auth } from '@/lib/auth'
import { prisma } from '@/lib/prisma'
export async function POST(request, { params }) {
  const session = await auth()
  if (!session) return new Response('Unauthorized', { status: 401 })
  return Response.json(await prisma.invoice.update({ where: { id: params.invoiceId }, data: { approvedBy: session.user.id } }))
}
