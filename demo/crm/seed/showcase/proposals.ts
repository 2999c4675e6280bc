import type { Client, Setting } from '../clients.ts'
import { year } from '../dates.ts'
import type { Line, Offer } from '../papers.ts'

type Short = {
  number: number
  valid: number
  issued?: number
  title: string
  state?: Offer['state']
  version?: number
  currency?: string
  intro?: string
  terms?: string
  note?: string
  answered?: number
  deleted?: number
  deposit?: string
  lines: Line[]
}

const usualTerms = '40% on acceptance, 40% at launch, 20% thirty days later. Two rounds of changes are included.'

export function acmeProposals(setting: Setting, acme: Client): Offer[] {
  return [...waiting(setting), ...answered(), ...hidden()].map(short => offerOf(setting, acme, short))
}

function offerOf({ days }: Setting, acme: Client, short: Short): Offer {
  const state = short.state ?? 'sent'
  const issuedAt = short.issued ?? short.valid - 30
  const answered = state === 'accepted' || state === 'rejected'
  const draft = state === 'draft'
  return {
    client: acme,
    kind: 'proposal',
    number: short.number,
    created: days.day(issuedAt - (short.version === 2 ? 3 : 0)),
    issued: draft ? null : days.day(issuedAt),
    validUntil: draft ? null : days.day(short.valid),
    title: short.title,
    intro: short.intro ?? 'Dear Nadia, as discussed at the counter: this is what we would do, and what it costs.',
    terms: short.terms ?? usualTerms,
    state,
    version: short.version,
    currency: short.currency,
    deposit: short.deposit,
    deleted: short.deleted === undefined ? undefined : days.day(short.deleted),
    response: answered
      ? { day: days.day(short.answered ?? short.valid - 9), by: 'Nadia El-Khoury', note: short.note ?? null }
      : undefined,
    lines: short.lines,
  }
}

function waiting({ days }: Setting): Short[] {
  const next = year(days.today) + 1
  return [
    {
      number: 31,
      valid: 3,
      issued: -2,
      version: 2,
      title: 'Winter campaign and shop relaunch, phase two',
      intro:
        'Dear Nadia, after our morning at the ovens we split the work in two: what lets your wholesale customers order by themselves before Christmas, and a campaign that smells of bread. The film can wait until you have seen the photographs.',
      terms:
        '40% on acceptance, 40% at launch, 20% thirty days later. Work begins within five working days. Two rounds of changes are included; further ones at €95.00 an hour, agreed beforehand.',
      lines: winterLines(),
    },
    {
      number: 30,
      valid: 13,
      issued: -4,
      version: 2,
      currency: 'GBP',
      title: `London trade fair ${next}`,
      lines: [
        line('Stand design', 'Three by four metres, two open sides', '1850.00', '1', undefined, '0'),
        line('Printed walls and counter', null, '1100.00', '2', 'sets', '0'),
        line('Transport and fitting', 'Both ways', '900.00', '1', undefined, '0'),
      ],
    },
    {
      number: 29,
      valid: 21,
      issued: -9,
      title: 'Packaging for the sourdough range: six labels, two carrier bags and one gift box (FSC board, soy inks)',
      deposit: '40',
      lines: [
        grouped('Design', line('Label', 'One family, six breads', '420.00', '6', 'labels')),
        grouped('Design', line('Carrier bag', 'Two sizes', '390.00', '2', 'bags')),
        grouped('Design', line('Gift box', 'Construction and print', '1450.00')),
        grouped('Design', line('Supervision at the printer', null, '95.00', '6', 'hours')),
        option(line('Proof on the real paper', null, '380.00'), true),
        option(line('Photographs of the packs', null, '650.00'), true),
        option(line('Texts in French and Arabic', null, '540.00'), false),
      ],
    },
    {
      number: 27,
      valid: 40,
      issued: -15,
      currency: 'USD',
      title: `Search and social advertising ${next}`,
      lines: [
        line('Management and report', null, '600.00', '12', 'months', '0'),
        line('Advertising budget', 'Passed on at cost, you set the ceiling', '2700.00', '4', 'quarters', '0'),
      ],
    },
  ]
}

function winterLines(): Line[] {
  const shop = 'Shop relaunch, phase two'
  const campaign = 'Winter campaign'
  return [
    grouped(
      shop,
      line('Ordering for wholesale customers', 'Own price lists, standing orders, cut-off times per route', '4800.00'),
    ),
    grouped(
      shop,
      line(
        'Search, filters and allergen view',
        'Fourteen allergens, “free from” combinations, three languages',
        '95.00',
        '18',
        'hours',
      ),
    ),
    grouped(
      shop,
      line(
        'Migration of 1,140 products and six years of orders',
        'Two rehearsals on a copy, one night of switching over',
        '1250.00',
      ),
    ),
    grouped(shop, line('Returning client', '5% off this group', '-388.00')),
    grouped(campaign, line('Concept, key visual and headline', 'In Dutch, French and Arabic', '2900.00')),
    grouped(campaign, line('Photography in the bakery', 'From 4 a.m., when the ovens open', '890.00', '2', 'days')),
    grouped(campaign, line('Advertising set-up', 'Search, maps and two social channels', '240.00', '4', 'channels')),
    option(line('Printed window banners', 'Five shops, fitted by us', '164.00', '5', 'shops'), true),
    option(line('Short film, 30 seconds', 'Cut for cinema and for phones', '2400.00'), false),
  ]
}

function answered(): Short[] {
  const small: [number: number, valid: number, title: string, price: string][] = [
    [22, -163, 'Ice cream season: posters and stickers', '520.00'],
    [20, -190, 'Allergen icons', '490.00'],
    [17, -221, 'Newsletter, four issues', '1540.00'],
    [12, -247, 'Easter window in five shops', '600.00'],
    [9, -276, 'Workshop on tone of voice', '680.00'],
    [47, -305, 'Photographs of the new ovens', '890.00'],
    [41, -366, 'Christmas campaign', '3752.50'],
    [33, -441, 'Website: allergen table', '1353.75'],
    [26, -503, 'Delivery van lettering', '1940.00'],
    [18, -570, 'Brand guide, second edition', '1820.00'],
  ]
  return [
    {
      number: 24,
      valid: -142,
      state: 'accepted',
      answered: -149,
      title: 'Shop relaunch, phase one',
      lines: [
        line('Research and structure', 'Eight interviews at the counter', '2400.00'),
        line('Design', null, '95.00', '40', 'hours'),
        line('Build', 'Catalogue, basket and payment', '4200.00'),
      ],
    },
    {
      number: 19,
      valid: -205,
      title: 'Loyalty card, printed',
      lines: [line('Design', null, '300.00'), line('Cards', 'With numbering', '0.19', '5000', 'cards')],
    },
    {
      number: 15,
      valid: -255,
      state: 'rejected',
      note: 'We do these ourselves this year.',
      title: 'Staff portraits',
      lines: [line('Portrait', 'In the shop, one background', '50.00', '16', 'people')],
    },
    ...small.map(
      ([number, valid, title, price]): Short => ({
        number,
        valid,
        title,
        state: 'accepted',
        lines: [line(title, null, price)],
      }),
    ),
    { number: 36, valid: -402, title: 'Film for the job fair', lines: [line('Film, one minute', null, '3100.00')] },
    {
      number: 29,
      valid: -480,
      title: 'Recipe booklet',
      lines: [line('Layout', null, '65.00', '24', 'pages'), line('Print', null, '1.85', '600', 'copies', '9')],
    },
  ]
}

function hidden(): Short[] {
  return [
    {
      number: 32,
      valid: 30,
      issued: -1,
      state: 'draft',
      title: 'Summer pop-up with ice cream (do not show yet)',
      lines: [line('Concept', null, '1900.00'), line('Stand', 'To be asked', '3400.00')],
    },
    {
      number: 28,
      valid: 18,
      issued: -12,
      deleted: -11,
      title: 'Packaging, first attempt (wrong prices)',
      lines: [line('Label', null, '42.00', '6', 'labels')],
    },
  ]
}

function grouped(group: string, line: Line): Line {
  return { ...line, group }
}

function option(line: Line, chosen: boolean): Line {
  return { ...line, group: 'Optional, you decide', optional: true, chosen }
}

function line(title: string, details: string | null, price: string, quantity = '1', unit?: string, tax = '21'): Line {
  return { title, details, price, quantity, unit, tax }
}
