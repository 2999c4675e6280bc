import { createPortal } from 'react-dom'
import { auth } from '@/lib/auth'
export default async function Page() { const session = await auth(); return createPortal(<div>{session.user.name}</div>, document.body) }
