/** What a client's browser sends to the hosted page. For tests. */

type Fields = Record<string, string>

export const card = (number = '4242 4242 4242 4242', more: Fields = {}): Fields => ({
  method: 'card',
  number,
  expiry: '12 / 34',
  cvc: '123',
  name: 'Ada Client',
  email: 'ada@client.example',
  ...more,
})

export const debit = (iban = 'DE89 3704 0044 0532 0130 00', more: Fields = {}): Fields => ({
  method: 'sepa_debit',
  iban,
  name: 'Ada Client',
  email: 'ada@client.example',
  ...more,
})

/** Sends a form as a page of the same site does. Redirects are not followed. */
export async function postForm(url: string, fields: Fields, headers: Fields = {}) {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'Sec-Fetch-Site': 'same-origin', ...headers },
    redirect: 'manual',
  })
  return { status: response.status, location: response.headers.get('Location') ?? '', text: await response.text() }
}

export async function getPage(url: string) {
  const response = await fetch(url, { redirect: 'manual' })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
