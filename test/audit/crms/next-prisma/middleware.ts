export function middleware(request) {
  if (!request.cookies.get('session') && !request.nextUrl.pathname.startsWith('/sign-in')) return Response.redirect('/sign-in')
}
