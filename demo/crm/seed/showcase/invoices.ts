import type { Client, Setting } from '../clients.ts'
import { monthName, year } from '../dates.ts'
import type { Invoice, Line, Payment } from '../papers.ts'

type Short = {
  number?: number
  due: number
  term?: number
  subject: string
  lines: Line[]
  currency?: string
  order?: string
  contact?: string
  paid?: Payment[]
  open?: boolean
  credit?: Invoice['credit']
}

export function acmeInvoices(setting: Setting, acme: Client): Invoice[] {
  return [...recent(setting), ...earlier(setting), ...care(setting)]
    .map(short => invoiceOf(setting, acme, short))
    .concat(hidden(setting, acme))
}

function invoiceOf({ days }: Setting, acme: Client, short: Short): Invoice {
  const issuedAt = short.due - (short.term ?? 30)
  const paidOn = days.day(Math.min(short.due - 2, -1))
  const settled: Payment = { day: paidOn, amount: { rest: true }, method: 'bank transfer', payer: acme.name }
  return {
    client: acme,
    number: short.number,
    created: days.day(issuedAt),
    issued: days.day(issuedAt),
    due: days.day(short.due),
    subject: short.subject,
    order: short.order ?? null,
    state: 'issued',
    currency: short.currency,
    contactId: acme.contacts.find(contact => contact.name.startsWith(short.contact ?? 'Pieter'))!.id,
    reminded: short.open && short.due === -24 ? days.day(-10) : undefined,
    lines: short.lines,
    payments: short.paid ?? (short.open ? [] : [settled]),
    credit: short.credit,
  }
}

function recent({ days }: Setting): Short[] {
  const month = (due: number) => monthName(days.day(due - 30))
  return [
    {
      number: 107,
      due: -24,
      open: true,
      order: `AB-${year(days.day(-54))}-391`,
      subject: `Photography: autumn range, 24 products, two days on location incl. retouching and archive licence until ${year(days.today) + 3}`,
      lines: [
        line('Photography on location', 'Autumn range, 24 products', '560.00', '2', 'days'),
        line('Retouching', '24 photographs, two sizes each', '20.00', '24', 'pieces'),
        line('Archive licence', `All media, until 31 December ${year(days.today) + 3}`, '200.00'),
      ],
      paid: [
        {
          day: days.day(-1),
          amount: { exactly: '1000.00' },
          method: 'bank transfer',
          payer: 'Pieter van der Meulen-Oosterhuis',
        },
      ],
    },
    {
      number: 112,
      due: -9,
      open: true,
      subject: 'Shop relaunch, second instalment',
      lines: [line('Design and prototype', 'As agreed in P-024', '3200.00')],
    },
    {
      number: 118,
      due: 12,
      open: true,
      currency: 'USD',
      subject: `Google and Meta advertising, ${month(-18)}`,
      lines: [
        line('Search advertising', 'Passed on at cost', '812.40', '1', undefined, '0'),
        line('Social advertising', 'Passed on at cost', '428.10', '1', undefined, '0'),
      ],
    },
    { number: 119, due: 14, open: true, subject: `Hosting and care plan, ${month(14)}`, lines: [carePlan()] },
    {
      number: 121,
      due: 27,
      open: true,
      subject: 'Shop relaunch, third instalment',
      lines: [
        line('Build', 'Catalogue, basket and payment', '95.00', '40', 'hours'),
        line('Test on devices', null, '700.00'),
      ],
    },
    { number: 101, due: -19, term: 37, subject: `Hosting and care plan, ${month(-19)}`, lines: [carePlan()] },
    {
      number: 96,
      due: -43,
      subject: 'Shop relaunch, first instalment',
      lines: [line('Discovery and plan', 'Interviews, structure, timetable', '3200.00')],
    },
    {
      number: 88,
      due: -55,
      subject: `Domain names ${year(days.day(-85))}`,
      lines: [line('Domain name', 'One year, eleven names', '30.00', '11', 'names')],
      credit: {
        number: 9,
        day: days.day(-51),
        reason: 'Correction: one domain billed twice',
        line: 0,
        price: '30.00',
        state: 'issued',
      },
    },
    {
      number: 81,
      due: -52,
      currency: 'GBP',
      subject: 'Trade fair stand, London: print and delivery',
      lines: [
        line('Printed walls', 'Six panels, textile', '265.00', '6', 'panels', '0'),
        line('Counter and leaflet rack', null, '430.00', '1', undefined, '0'),
        line('Delivery and fitting', 'On the eve of the fair', '290.00', '1', undefined, '0'),
      ],
    },
  ]
}

function earlier({ days }: Setting): Short[] {
  const jobs: [number: number, due: number, subject: string, lines: Line[]][] = [
    [74, -82, 'Shop relaunch, phase one: rest', [line('Rest after launch', '20% of P-024', '2080.00')]],
    [66, -118, 'Shop relaunch, phase one: at launch', [line('At launch', '40% of P-024', '4160.00')]],
    [
      58,
      -139,
      'Summer ice cream: posters and stickers',
      [
        line('Posters A2', null, '4.90', '60', 'pieces', '9'),
        line('Stickers', 'Weatherproof', '0.42', '500', 'pieces'),
      ],
    ],
    [52, -148, 'Shop relaunch, phase one: on acceptance', [line('On acceptance', '40% of P-024', '4160.00')]],
    [44, -176, 'Allergen icons, fourteen', [line('Icon', 'In three sizes', '35.00', '14', 'icons')]],
    [
      37,
      -204,
      'Spring newsletter',
      [line('Writing and layout', null, '385.00'), line('Translation into French', null, '0.14', '640', 'words')],
    ],
    [29, -233, 'Easter window', [line('Window drawing', 'Five shops', '120.00', '5', 'shops')]],
    [
      21,
      -262,
      'Workshop on tone of voice',
      [line('Workshop', 'Half a day at the bakery', '680.00'), line('Travel', null, '46.00')],
    ],
    [13, -291, 'Photographs of the new ovens', [line('Photography on location', 'From 4 a.m.', '890.00', '1', 'day')]],
    [
      143,
      -331,
      'Christmas campaign, second part',
      [
        line('Advertising set-up', null, '240.00', '3', 'channels'),
        line('Campaign management', null, '95.00', '11.5', 'hours'),
      ],
    ],
    [
      131,
      -362,
      'Christmas campaign, first part',
      [line('Concept and headline', null, '1900.00'), line('Friend of the house', null, '-190.00')],
    ],
    [117, -394, 'Loaf labels, reprint', [line('Labels', 'Compostable', '0.0385', '12000', 'labels')]],
    [104, -426, 'Autumn newsletter', [line('Writing and layout', null, '385.00')]],
    [92, -458, 'Website: allergen table', [line('Front-end build', null, '95.00', '14.25', 'hours')]],
    [
      79,
      -489,
      'Delivery van lettering',
      [line('Design', null, '420.00'), line('Foil and fitting', null, '760.00', '2', 'vans')],
    ],
    [63, -522, 'Photographs: bread and cake', [line('Photography on location', null, '560.00', '2', 'days')]],
    [47, -556, 'Brand guide, second edition', [line('Brand guide', null, '65.00', '28', 'pages')]],
  ]
  return jobs.map(([number, due, subject, lines]) => ({
    number,
    due,
    subject,
    lines,
    contact: number % 3 === 0 ? 'Nadia' : 'Pieter',
    credit:
      number === 143
        ? {
            number: 4,
            day: days.day(-350),
            reason: 'Correction: hours counted twice',
            line: 1,
            price: '142.50',
            state: 'issued',
          }
        : undefined,
  }))
}

function care({ days }: Setting): Short[] {
  return Array.from({ length: 13 }, (_, index) => {
    const due = -49 - 30 * index
    return {
      due,
      subject: `Hosting and care plan, ${monthName(days.day(due - 30))}`,
      lines: [carePlan()],
    }
  })
}

function hidden({ days }: Setting, acme: Client): Invoice[] {
  const plain = { client: acme, due: null, issued: null, payments: [], created: days.day(-2) }
  return [
    {
      ...plain,
      state: 'draft',
      subject: 'Shop relaunch, fourth instalment (not agreed yet)',
      lines: [line('Launch', null, '4500.00')],
    },
    {
      ...plain,
      state: 'draft',
      subject: 'Christmas wreath for the shop window',
      lines: [line('Wreath', null, '145.00')],
    },
    {
      ...plain,
      state: 'issued',
      created: days.day(-33),
      issued: days.day(-33),
      due: days.day(-3),
      deleted: days.day(-32),
      subject: 'Sent to the wrong client',
      lines: [line('Corporate film', null, '5200.00')],
    },
  ]
}

function carePlan(): Line {
  return line('Hosting and care plan', 'Updates, backups and monitoring', '150.00', '1', 'month')
}

function line(title: string, details: string | null, price: string, quantity = '1', unit?: string, tax = '21'): Line {
  return { title, details, price, quantity, unit, tax }
}
