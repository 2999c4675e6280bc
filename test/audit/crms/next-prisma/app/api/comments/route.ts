import { auth } from '@/lib/auth'
import { prisma } from '@/lib/prisma'
export async function POST(request) { const session = await auth(); return Response.json(await prisma.comment.create({ data: { userId: session.user.id } })) }
