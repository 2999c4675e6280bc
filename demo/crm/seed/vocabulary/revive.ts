import type { Vocabulary } from './kind.ts'

export const revive: Vocabulary = {
  taxes: ['21', '10'],
  groups: {
    Repair: [
      ['Diagnosis', 'Set off against the repair', 'pieces', '45.00'],
      ['Display replaced', 'Original part, 24 months’ guarantee', 'pieces', '189.00'],
      ['Battery replaced', null, 'pieces', '79.50'],
      ['Compressor replaced', 'Cooling agent included', 'pieces', '412.00'],
      ['Mainboard repaired', 'Soldered, not replaced', 'pieces', '235.00'],
      ['Pump and seals', null, 'sets', '96.40'],
    ],
    Labour: [
      ['Technician in the workshop', null, 'hours', '48.00'],
      ['Technician on site', 'Madrid, within the M-40', 'hours', '62.00'],
      ['Express surcharge', 'Within 24 hours', 'fixed', '55.00'],
      ['Collection and return', null, 'trips', '24.00'],
    ],
    Maintenance: [
      ['Yearly inspection', 'With report and seal', 'devices', '68.00'],
      ['Descaling and cleaning', null, 'devices', '39.00'],
      ['Water filter', null, 'pieces', '17.8500', 1],
      ['Replacement device', 'While yours is with us', 'days', '9.5000'],
    ],
  },
  invoices: [
    ['Repair', 'Coffee machine: repair and descaling'],
    ['Maintenance', 'Yearly inspection {year}'],
    ['Repair', 'Laptop repairs, {month}'],
    ['Repair', 'Cold room: compressor replaced'],
    ['Repair', 'Dishwasher: pump and seals'],
    ['Repair', 'Telephones, {month}: displays and batteries'],
    ['Maintenance', 'Maintenance contract, {month}'],
    ['Labour', 'Express repair of the till'],
  ],
  proposals: [
    'Maintenance contract {year}',
    'Overhaul of the kitchen equipment',
    'Repair instead of new: 40 laptops',
    'Spare parts kept in your basement',
    'Inspection of all branches',
  ],
  quotations: [
    ['Repair', 'Oven door: hinge and glass'],
    ['Repair', 'Espresso machine, two groups'],
    ['Repair', 'Twelve telephones with broken displays'],
    ['Repair', 'Ice machine: compressor'],
    ['Repair', 'Lift motor of the goods lift'],
    ['Repair', 'Television in the lobby'],
  ],
  greetings: [
    'We opened the device and found the following. Nothing is repaired before you say yes.',
    'Repairing costs less than half of a new one here, so we recommend it.',
  ],
  terms: [
    '24 months’ guarantee on parts we replaced. Diagnosis is only billed when you decline.',
    'Devices not collected within 90 days are recycled.',
  ],
  projects: [
    ['Overhaul {year}', 'Inspection', 'Parts', 'Repair', 'Test run'],
    ['Replacement of batteries', 'Inventory', 'First half', 'Second half'],
  ],
  tasks: ['Order the seals', 'Test run of two hours', 'Print the guarantee card', 'Call about collection'],
  requests: [
    'Agree to the repair',
    'Send a photograph of the type plate',
    'Tell us when the kitchen is closed',
    'Remove the lock code',
  ],
  tickets: [
    ['Coffee machine leaks again', 'Below, on the left, after an hour.'],
    ['When is the laptop ready?', 'We need it on Thursday.'],
    ['Noise in the cold room', 'A rattle, mostly at night.'],
  ],
  documents: [
    ['Reports', 'Inspection report.pdf', 'application/pdf'],
    ['Photographs', 'Type plate.jpg', 'image/jpeg'],
    ['Guarantee', 'Guarantee card.pdf', 'application/pdf'],
    ['Manuals', 'Manual.pdf', 'application/pdf'],
  ],
  comments: [
    'Is there a used part as well?',
    'Please call before you come, the bell is broken (you may repair it).',
    'Go ahead, thank you.',
  ],
}
