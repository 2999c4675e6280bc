export async function GET(request) { return new Response(request.nextUrl.searchParams.get('token')) }
