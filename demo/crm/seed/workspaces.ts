import { de, en, en_GB, en_US, es, type Faker, nl } from '@faker-js/faker'
import type { Row } from './rows.ts'
import { brightside } from './vocabulary/brightside.ts'
import { harbor } from './vocabulary/harbor.ts'
import type { Vocabulary } from './vocabulary/kind.ts'
import { ledgerline } from './vocabulary/ledgerline.ts'
import { pressworks } from './vocabulary/pressworks.ts'
import { revive } from './vocabulary/revive.ts'

export type Workspace = {
  slug: string
  row: Row
  language: string
  country: string
  currency: string
  locale: ConstructorParameters<typeof Faker>[0]['locale']
  vocabulary: Vocabulary
}

export const workspaces: Workspace[] = [
  {
    slug: 'brightside',
    language: 'nl',
    country: 'NL',
    currency: 'EUR',
    locale: [nl, en],
    vocabulary: brightside,
    row: {
      slug: 'brightside',
      name: 'Brightside Agency',
      legal_name: 'Brightside Studio B.V.',
      address_line1: 'Entrepotdok 84',
      address_line2: null,
      postcode: '1018 AD',
      city: 'Amsterdam',
      country: 'NL',
      vat_no: 'NL0000.00.000.B01',
      email: 'hello@brightside.example',
      phone: '+31 20 555 0184',
      colour: '#1f5f4a',
      currency: 'EUR',
      time_zone: 'Europe/Amsterdam',
      iban: 'NL91 ABNA 0417 1643 00',
      bic: 'ABNANL2A',
    },
  },
  {
    slug: 'ledgerline',
    language: 'en',
    country: 'GB',
    currency: 'GBP',
    locale: [en_GB, en],
    vocabulary: ledgerline,
    row: {
      slug: 'ledgerline',
      name: 'Ledgerline Accounting',
      legal_name: 'Ledgerline Accounting LLP',
      address_line1: '27 Clerkenwell Close',
      address_line2: 'Second floor',
      postcode: 'EC1R 0AA',
      city: 'London',
      country: 'GB',
      vat_no: 'GB 000 0000 00',
      email: 'office@ledgerline.example',
      phone: '+44 20 7946 0127',
      colour: '#243b6b',
      currency: 'GBP',
      time_zone: 'Europe/London',
      iban: 'GB29 NWBK 6016 1331 9268 19',
      bic: 'NWBKGB2L',
    },
  },
  {
    slug: 'harbor',
    language: 'en',
    country: 'US',
    currency: 'USD',
    locale: [en_US, en],
    vocabulary: harbor,
    row: {
      slug: 'harbor',
      name: 'Harbor IT',
      legal_name: 'Harbor Information Technology, Inc.',
      address_line1: '55 Water Street',
      address_line2: 'Suite 1120',
      postcode: 'NY 10041',
      city: 'New York',
      country: 'US',
      vat_no: null,
      email: 'support@harbor.example',
      phone: '+1 212 555 0155',
      colour: '#0b6b8a',
      currency: 'USD',
      time_zone: 'America/New_York',
      iban: null,
      bic: 'HRBRUS33',
    },
  },
  {
    slug: 'pressworks',
    language: 'de',
    country: 'DE',
    currency: 'EUR',
    locale: [de, en],
    vocabulary: pressworks,
    row: {
      slug: 'pressworks',
      name: 'Pressworks',
      legal_name: 'Pressworks Druck und Verarbeitung GmbH',
      address_line1: 'Oranienstraße 183',
      address_line2: 'Aufgang C',
      postcode: '10999',
      city: 'Berlin',
      country: 'DE',
      vat_no: 'DE000000000',
      email: 'druck@pressworks.example',
      phone: '+49 30 5550 183',
      colour: '#b3261e',
      currency: 'EUR',
      time_zone: 'Europe/Berlin',
      iban: 'DE89 3704 0044 0532 0130 00',
      bic: 'COBADEFF',
    },
  },
  {
    slug: 'revive',
    language: 'es',
    country: 'ES',
    currency: 'EUR',
    locale: [es, en],
    vocabulary: revive,
    row: {
      slug: 'revive',
      name: 'Revive Repairs',
      legal_name: 'Revive Reparaciones S.L.',
      address_line1: 'Calle de Embajadores 61',
      address_line2: null,
      postcode: '28012',
      city: 'Madrid',
      country: 'ES',
      vat_no: 'ESB00000000',
      email: 'taller@revive.example',
      phone: '+34 910 555 061',
      colour: '#7a4b00',
      currency: 'EUR',
      time_zone: 'Europe/Madrid',
      iban: 'ES91 2100 0418 4502 0005 1332',
      bic: 'CAIXESBB',
    },
  },
]
