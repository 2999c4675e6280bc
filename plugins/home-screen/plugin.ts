import { anybody } from '../../src/http/rules.ts'
import { section } from '../../src/plugin/plugin.ts'
import { showIcon } from './icons.ts'
import { showManifest } from './manifest.ts'

/** Lets phones and computers install the portal as an app: a web app manifest, and icons in the workspace's branding. */
export default section({
  name: 'home-screen',
  title: 'Home screen',
  icon: 'device-mobile',
  order: 953,
  slots: { head: { view: 'home-screen/head' } },
  capabilities: { homeScreen: () => true },

  public: {
    path: 'home-screen',
    routes(router) {
      router.get('/manifest.webmanifest', anybody, showManifest)
      router.get('/icons/:version/:name.png', anybody, showIcon)
    },
  },
})
