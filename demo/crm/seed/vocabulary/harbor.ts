import type { Vocabulary } from './kind.ts'

export const harbor: Vocabulary = {
  taxes: ['0', '8.875'],
  groups: {
    'Managed services': [
      ['Managed workstation', 'Patching, antivirus and help desk', 'seats', '68.00'],
      ['Managed server', 'Monitoring around the clock', 'servers', '210.00'],
      ['Cloud backup', 'Versioned, tested every quarter', 'TB', '95.00'],
      ['Mail security', null, 'mailboxes', '3.2500'],
    ],
    Hardware: [
      ['Laptop, 14 inch', '32 GB memory, 1 TB, three years on site', 'pieces', '1489.00', 1],
      ['Docking station', null, 'pieces', '229.90', 1],
      ['Firewall appliance', 'With one year of updates', 'pieces', '1875.00', 1],
      ['Access point', 'Ceiling mount', 'pieces', '318.75', 1],
      ['Cable, category 6A', null, 'feet', '1.1250', 1],
    ],
    Labor: [
      ['Engineer on site', null, 'hours', '145.00'],
      ['Remote support', 'Beyond the plan', 'hours', '120.00'],
      ['After-hours work', 'Weekdays after 6 p.m. and weekends', 'hours', '217.50'],
      ['Project management', null, 'hours', '160.00'],
    ],
    Licenses: [
      ['Office suite, business plan', 'Yearly commitment', 'users', '12.5000', 1],
      ['Password manager', null, 'users', '7.9900', 1],
      ['Phone system', 'Unlimited domestic calls', 'lines', '24.95', 1],
    ],
  },
  invoices: [
    ['Managed services', 'Managed services, {month} {year}'],
    ['Licenses', 'Licenses, {month} {year}'],
    ['Hardware', 'Laptops for the new team'],
    ['Hardware', 'Firewall replacement'],
    ['Labor', 'On-site work in {month}'],
    ['Hardware', 'Wireless survey and access points'],
    ['Labor', 'After-hours migration of the file server'],
    ['Licenses', 'Phone system, {month} {year}'],
  ],
  proposals: [
    'Managed services {year}',
    'Office move: network and phones',
    'Replacement of the file server',
    'Security program, first year',
    'Laptops on a four-year cycle',
    'Second site: network and backup',
  ],
  quotations: [
    ['Hardware', 'Ten laptops with docking stations'],
    ['Hardware', 'Firewall with spare'],
    ['Hardware', 'Conference room equipment'],
    ['Managed services', 'Additional backup space'],
    ['Labor', 'Cabling of the third floor'],
  ],
  greetings: [
    'After the walk-through we suggest the following. Quantities are from our inventory of your devices.',
    'This replaces what is out of support and leaves the rest alone.',
  ],
  terms: [
    'Net 30. Hardware is billed on shipment. Managed services renew yearly unless canceled 60 days before.',
    'Prices for hardware hold for 14 days and depend on availability.',
  ],
  projects: [
    ['Office move', 'Survey', 'Cabling', 'Move weekend', 'Aftercare'],
    ['Server replacement', 'Order', 'Build', 'Cut-over', 'Old server retired'],
    ['Security program {year}', 'Assessment', 'Quick wins', 'Training'],
  ],
  tasks: ['Order the switches', 'Label the patch panel', 'Test the restore', 'Update the network drawing'],
  requests: [
    'Name somebody who opens the building on Saturday',
    'Approve the maintenance window',
    'Send the list of leavers',
    'Confirm the seats of the office plan',
  ],
  tickets: [
    ['Printer on floor 2 offline', 'Nobody can print since this morning.'],
    ['New hire starts Monday', 'Needs laptop, mailbox and badge.'],
    ['VPN drops every hour', 'Three people at home report the same.'],
    ['Suspicious mail', 'It asks for gift cards, from our own director.'],
  ],
  documents: [
    ['Network', 'Network drawing.pdf', 'application/pdf'],
    ['Contracts', 'Managed services agreement.pdf', 'application/pdf'],
    ['Inventory', 'Devices.csv', 'text/csv'],
    ['Reports', 'Monthly report.pdf', 'application/pdf'],
    ['Photographs', 'Server room.png', 'image/png'],
  ],
  comments: [
    'Can we start with five seats and add later?',
    'Is the old hardware taken away?',
    'Approved by our board last night.',
  ],
}
