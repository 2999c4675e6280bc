import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { world, writeGeoip } from '../../test/geoip.ts'
import { until } from '../../test/until.ts'
import { placesIn } from './places.ts'

describe('the place of an address', () => {
  let folder: string
  const errors: string[] = []
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (_: object, text: string) => void errors.push(text),
  }

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'geoip-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  it('is its city and country, in the reader’s language where it has a name in it', async () => {
    const file = join(folder, 'city.mmdb')
    writeGeoip(file, world)
    const placeOf = placesIn(file, log)
    await until(() => placeOf('81.2.69.7', 'en-GB'))
    expect(placeOf('81.2.69.7', 'en-GB')).to.equal('The Hague, Netherlands')
    expect(placeOf('::ffff:81.2.69.7', 'es-MX')).to.equal('La Haya, Países Bajos')
    expect(placeOf('89.160.20.3', 'es')).to.equal('Suecia')
    for (const none of [undefined, '', '8.8.8.8', '2001:db8::1', 'nonsense', '81.2.69', '10.0.0.1', "1'; drop"])
      expect(placeOf(none, 'en'), none).to.equal(undefined)
  })

  it('is unknown without a database, and with one that cannot be read, which is logged', async () => {
    expect(placesIn(undefined, log)('81.2.69.7', 'en')).to.equal(undefined)
    expect(errors).to.be.empty
    const broken = join(folder, 'broken.mmdb')
    writeFileSync(broken, 'no database')
    for (const file of [broken, join(folder, 'missing.mmdb')]) {
      const placeOf = placesIn(file, log)
      await until(() => errors.pop()?.includes('devices are shown without their place'))
      expect(placeOf('81.2.69.7', 'en')).to.equal(undefined)
    }
  })
})
