export type Company = {
  name: string
  legal?: string
  role?: 'showcase' | 'busy' | 'huge' | 'empty'
  country?: string
  currency?: string
  city?: string
  street?: string
  postcode?: string
  contacts?: [first: string, last: string, language: string][]
}

export const companies: Record<string, Company[]> = {
  brightside: [
    {
      name: 'Acme Bakery',
      legal: 'Acme Bakery B.V.',
      role: 'showcase',
      street: 'Kanaalstraat 112',
      postcode: '3531 CN',
      city: 'Utrecht',
      contacts: [],
    },
    { name: 'Halloran & Sons', legal: 'Halloran & Sons Ltd', role: 'busy', country: 'IE', city: 'Cork' },
    {
      name: 'Quiet Harbour Books',
      legal: 'Quiet Harbour Books V.O.F.',
      role: 'empty',
      city: 'Harlingen',
      contacts: [],
    },
    {
      name: '株式会社さくら製作所',
      country: 'JP',
      currency: 'JPY',
      city: '京都市',
      street: '下京区四条通 12-4',
      contacts: [
        ['美咲', '佐藤', 'ja'],
        ['健太', '高橋', 'ja'],
      ],
    },
    {
      name: 'مخبز النور للتجارة',
      country: 'AE',
      currency: 'USD',
      city: 'دبي',
      street: 'شارع الوصل ١٢',
      contacts: [
        ['ليلى', 'المنصوري', 'ar'],
        ['عمر', 'الحداد', 'ar'],
      ],
    },
    { name: 'O’Brien’s "The Bull" Pubs & Inns', country: 'GB', currency: 'GBP', city: 'Bristol' },
    { name: "<script>alert('acme')</script> Interactive", contacts: [['Robert"); DROP', "TABLE O'Students", 'en']] },
    {
      name: 'Gemeenschappelijke Inkoopvereniging van Zelfstandige Ambachtelijke Banketbakkers, Chocolatiers en IJsmakers in Nederland',
      city: 'Gorinchem',
    },
    { name: 'Zürcher Käsehaus AG', country: 'CH', currency: 'CHF', city: 'Zürich' },
  ],
  ledgerline: [
    { name: 'Thornbury Garden Centres', legal: 'Thornbury Garden Centres Limited', role: 'busy', city: 'Guildford' },
    {
      name: 'Foxglove Ceramics',
      legal: 'Foxglove Ceramics Limited',
      role: 'empty',
      city: 'Hebden Bridge',
      contacts: [],
    },
    {
      name: 'Ελληνικές Γεύσεις Α.Ε.',
      country: 'GR',
      currency: 'EUR',
      city: 'Θεσσαλονίκη',
      contacts: [
        ['Ελένη', 'Παπαδοπούλου', 'el'],
        ['Γιώργος', 'Νικολαΐδης', 'el'],
      ],
    },
    { name: 'Marks\' "Half-Price" Books & Records', city: 'Leeds' },
    {
      name: 'The Worshipful and Amalgamated Company of Bookbinders, Marblers, Gilders and Finishers of Greater Manchester and Salford',
      city: 'Salford',
    },
    { name: '京都茶舗ロンドン', currency: 'JPY', country: 'JP', city: '京都市', contacts: [['陽子', '伊藤', 'ja']] },
    { name: '<b>Bold</b> & Co', city: 'Cardiff' },
  ],
  harbor: [
    { name: 'Calder & Wythe Law', legal: 'Calder & Wythe LLP', role: 'busy', city: 'New York' },
    { name: 'Northline Freight', legal: 'Northline Freight Systems, Inc.', role: 'huge', city: 'Newark' },
    { name: 'Juniper Street Yoga', legal: 'Juniper Street Yoga LLC', role: 'empty', city: 'Brooklyn', contacts: [] },
    {
      name: 'אור הצפון בע״מ',
      country: 'IL',
      city: 'חיפה',
      contacts: [
        ['נועה', 'לוי', 'he'],
        ['אבי', 'כהן', 'he'],
      ],
    },
    { name: 'Dubois & Fils Transport', country: 'CA', currency: 'CAD', city: 'Montréal' },
    {
      name: 'Metropolitan Association of Independent Hardware, Paint, Plumbing and Houseware Retailers of New York and New Jersey, Inc.',
      city: 'Yonkers',
    },
    { name: '"><img src=x onerror=alert(1)> Media', city: 'Hoboken' },
    { name: '東京ハーバー物流', currency: 'JPY', country: 'JP', city: '東京', contacts: [['大輔', '中村', 'ja']] },
  ],
  pressworks: [
    { name: 'Verlag am Ufer', legal: 'Verlag am Ufer GmbH & Co. KG', role: 'busy', city: 'Berlin' },
    { name: 'Café Morgenrot', legal: 'Café Morgenrot eG', role: 'empty', city: 'Berlin', contacts: [] },
    {
      name: 'Типография «Заря»',
      country: 'BG',
      city: 'Пловдив',
      contacts: [
        ['Радослава', 'Димитрова', 'bg'],
        ['Стоян', 'Иванов', 'bg'],
      ],
    },
    {
      name: '青山出版社',
      country: 'CN',
      currency: 'USD',
      city: '上海',
      contacts: [
        ['伟', '王', 'zh'],
        ['静', '李', 'zh'],
      ],
    },
    { name: 'Müller, Müller & "Die anderen" GbR', city: 'Potsdam' },
    {
      name: 'Arbeitsgemeinschaft der Berliner und Brandenburger Vereine zur Pflege der Buchkunst, Druckgraphik und Typographie e. V.',
      city: 'Berlin',
    },
    { name: '<script src="//x.example/a.js"></script> Studio', city: 'Leipzig' },
    { name: '浮世絵工房', currency: 'JPY', country: 'JP', city: '大阪市', contacts: [['直樹', '山本', 'ja']] },
  ],
  revive: [
    { name: 'Hotel Alameda', legal: 'Hotel Alameda Madrid S.A.', role: 'busy', city: 'Madrid' },
    { name: 'Librería El Faro', legal: 'Librería El Faro S.L.', role: 'empty', city: 'Madrid', contacts: [] },
    {
      name: 'مطعم الأندلس',
      city: 'Granada',
      contacts: [
        ['سلمى', 'بنعلي', 'ar'],
        ['يوسف', 'العلوي', 'ar'],
      ],
    },
    { name: 'Peluquería "Tijeras & Co"', city: 'Toledo' },
    {
      name: 'Asociación de Propietarios de Cafeterías, Heladerías, Churrerías y Establecimientos Análogos de la Comunidad de Madrid',
      city: 'Madrid',
    },
    { name: "<svg onload=alert('hola')> Diseño", city: 'Alcalá de Henares' },
    { name: '寿司三郎', currency: 'JPY', country: 'JP', city: '福岡市', contacts: [['さくら', '小林', 'ja']] },
    { name: 'Lisboa Eléctrica & Filhos', country: 'PT', city: 'Lisboa' },
  ],
}
