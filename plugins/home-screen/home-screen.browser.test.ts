import { expect } from 'chai'
import { desk, stageForEach } from '../../test/pages/browsing.ts'

describe('the portal on a home screen, in a real browser', function () {
  const stage = stageForEach(this)

  // A headless Chromium calls every page installable (Page.getInstallabilityErrors), so its word is not asked for.
  it('has a manifest that Chromium reads without errors, and icons of the sizes that it names', async () => {
    const page = await stage.visit('owner', { viewport: desk })
    await page.goto(`${stage.homeOf('owner')}/`)
    const session = await page.context().newCDPSession(page)
    const { url, errors, data } = await session.send('Page.getAppManifest')
    expect(url).to.equal(`${stage.homeOf('owner')}/home-screen/manifest.webmanifest`)
    expect(errors).to.deep.equal([])
    const { icons } = JSON.parse(data!) as { icons: { src: string; sizes: string }[] }
    for (const { src, sizes } of icons) expect(await page.evaluate(sizeOf, src), src).to.equal(sizes)
    expect(stage.complaints()).to.deep.equal([])
  })
})

/** Width and height of a picture as the browser decodes it. */
async function sizeOf(src: string): Promise<string> {
  const image = Object.assign(new Image(), { src })
  await image.decode()
  return `${image.naturalWidth}x${image.naturalHeight}`
}
