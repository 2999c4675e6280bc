import type { Vocabulary } from './kind.ts'

export const pressworks: Vocabulary = {
  taxes: ['19', '7'],
  groups: {
    Print: [
      ['Business cards', '350 g, both sides, rounded corners', 'cards', '0.0840'],
      ['Flyers A5', '135 g, coated, four colours', 'pieces', '0.0395'],
      ['Posters A1', '200 g, matt', 'pieces', '3.8500'],
      ['Folded menu, six pages', 'Washable', 'pieces', '1.2600'],
      ['Stickers, round, 60 mm', 'Weatherproof', 'pieces', '0.1150'],
    ],
    'Books and magazines': [
      ['Paperback, 224 pages', 'Cream paper, sewn', 'copies', '4.1200', 1],
      ['Magazine, 48 pages', 'Self-cover, stapled', 'copies', '1.7350', 1],
      ['Hardcover, 160 pages', 'Linen, ribbon, embossed spine', 'copies', '11.4000', 1],
    ],
    Finishing: [
      ['Hot foil, gold', null, 'pieces', '0.1900'],
      ['Die cutting', 'Tool stays with us for three years', 'fixed', '320.00'],
      ['Numbering and perforation', null, 'pieces', '0.0300'],
      ['Hand assembly', null, 'hours', '42.00'],
    ],
    Services: [
      ['Data check and proof', 'Contract proof on certified paper', 'fixed', '65.00'],
      ['Layout', null, 'hours', '72.00'],
      ['Delivery in Berlin', 'By cargo bicycle', 'trips', '18.00'],
      ['Storage', null, 'pallets', '14.50'],
    ],
  },
  invoices: [
    ['Print', 'Flyers for {month}'],
    ['Books and magazines', 'Magazine, issue {month} {year}'],
    ['Print', 'Business cards for new colleagues'],
    ['Print', 'Menus, {month} edition'],
    ['Books and magazines', 'Reprint of the paperback'],
    ['Print', 'Stickers and posters'],
    ['Books and magazines', 'Exhibition catalogue {year}'],
    ['Services', 'Storage and delivery, {month}'],
  ],
  proposals: [
    'Magazine {year}, four issues',
    'Catalogue with hot foil cover',
    'Packaging for the gift set',
    'Printing for the whole season {year}',
    'Children’s book, hardcover',
  ],
  quotations: [
    ['Print', '5,000 flyers A5'],
    ['Print', '250 posters A1'],
    ['Print', 'Business cards, 12 names'],
    ['Books and magazines', 'Paperback, 1,000 and 2,500 copies'],
    ['Finishing', 'Wedding stationery with foil'],
    ['Books and magazines', 'Calendar {year}, wire bound'],
  ],
  greetings: [
    'Many thanks for your enquiry. Prices include the plates and one correction.',
    'We printed a dummy for you, it is on its way. Here are the prices that belong to it.',
  ],
  terms: [
    'Delivery ten working days after release of the proof. Up to 5% more or less may be delivered and billed.',
    'Half on release of the proof, the rest within 14 days. Paper prices hold for 21 days.',
  ],
  projects: [
    ['Magazine {month}', 'Data', 'Proof', 'Print', 'Binding', 'Delivery'],
    ['Gift box', 'Sample', 'Tool', 'Production'],
  ],
  tasks: ['Order the paper', 'Check the bleed', 'Book the binder', 'Pack by branch'],
  requests: [
    'Release the proof',
    'Upload the cover with 3 mm bleed',
    'Choose the paper',
    'Give the delivery addresses',
  ],
  tickets: [
    ['Colour too dark', 'The second batch is darker than the first.'],
    ['One box short', 'We counted 19 of 20 boxes.'],
    ['Can you print on seed paper?', 'For an invitation in spring.'],
  ],
  documents: [
    ['Proofs', 'Proof.pdf', 'application/pdf'],
    ['Templates', 'Template flyer A5.pdf', 'application/pdf'],
    ['Data', 'Cover.tif', 'image/tiff'],
    ['Delivery', 'Delivery note.pdf', 'application/pdf'],
  ],
  comments: [
    'Could we see the gold on a sample first?',
    'Please split the delivery over two branches.',
    'What would 500 more cost?',
  ],
}
